// Functions of the op table for float and double, without branches, so that loops over them become vector code.
// exp, expm1, log, log1p, tanh, sinh, cosh are birc's own: polynomials that interpolate at Chebyshev nodes (computed in exact arithmetic),
// within 3 ulp of the true value, with fused multiply-add where it is written and nowhere else. So every C-like target has the same bits.
namespace birc {

INLINE float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
INLINE float abs(float x) { return __builtin_fabsf(x); }
INLINE double abs(double x) { return __builtin_fabs(x); }
INLINE int32 abs(int32 x) { return x < 0 ? -x : x; }
INLINE int64 abs(int64 x) { return x < 0 ? -x : x; }
INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
INLINE double sqrt(double x) { return __builtin_sqrt(x); }
INLINE float floor(float x) { return __builtin_floorf(x); }
INLINE double floor(double x) { return __builtin_floor(x); }
INLINE float sin(float x) { return __builtin_sinf(x); }
INLINE double sin(double x) { return __builtin_sin(x); }
INLINE float cos(float x) { return __builtin_cosf(x); }
INLINE double cos(double x) { return __builtin_cos(x); }
INLINE float tan(float x) { return __builtin_tanf(x); }
INLINE double tan(double x) { return __builtin_tan(x); }
INLINE float pow(float x, float y) { return __builtin_powf(x, y); }
INLINE double pow(double x, double y) { return __builtin_pow(x, y); }

// A NaN on either side comes through, as in NumPy.
template <class T> INLINE T min(T a, T b) { return ((a < b) | (a != a)) ? a : b; }
template <class T> INLINE T max(T a, T b) { return ((a > b) | (a != a)) ? a : b; }

// What differs between the two types. `exponential(r)` is (exp(r) - 1 - r) / r^2 for |r| <= log(2)/2; `logarithm(z)` is
// (2 atanh(s) - 2 s) / s / z for z = s^2 and s <= 3 - 2 sqrt(2). `round` is added and taken away to round to a whole number.
template <class T> struct Real;

template <> struct Real<double> {
    typedef int64 integer;
    static constexpr double round = 0x1.8p52, log2e = 1.4426950408889634, ln2 = 0x1.62e42fefa39efp-1, ln2_rest = 0x1.abc9e3b39803fp-56;
    static constexpr double ln2_short = 0x1.62e42feep-1, ln2_short_rest = 0x1.a39ef35793c76p-33;
    static constexpr double overflow = 710, underflow = -746, small = -1000, minus_one = -40, normal = 0x1p-1022, enlarge = 0x1p54;
    static constexpr int mantissa = 52, bias = 1023, enlarged = 54;
    static constexpr int64 fraction = 0x000FFFFFFFFFFFFF, half = 0x3FE0000000000000;
    INLINE static double exponential(double r) {
        double p = 2.0914686968086876e-09;
        p = fma(p, r, 2.5105217004720745e-08);
        p = fma(p, r, 2.75572736431103e-07);
        p = fma(p, r, 2.7557255400206422e-06);
        p = fma(p, r, 2.4801587325547743e-05);
        p = fma(p, r, 0.00019841269874820627);
        p = fma(p, r, 0.0013888888888883748);
        p = fma(p, r, 0.008333333333326136);
        p = fma(p, r, 0.04166666666666667);
        p = fma(p, r, 0.1666666666666667);
        return fma(p, r, 0.5);
    }
    INLINE static double logarithm(double z) {
        double p = 0.14617807153417323;
        p = fma(p, z, 0.15331611722055008);
        p = fma(p, z, 0.1818289243253687);
        p = fma(p, z, 0.22222211089379496);
        p = fma(p, z, 0.28571428626253836);
        p = fma(p, z, 0.3999999999989889);
        return fma(p, z, 0.666666666666667);
    }
};

template <> struct Real<float> {
    typedef int32 integer;
    static constexpr float round = 0x1.8p23f, log2e = 1.44269504f, ln2 = 0x1.62e43p-1f, ln2_rest = -0x1.05c61p-29f;
    static constexpr float ln2_short = 0x1.62ep-1f, ln2_short_rest = 0x1.0bfbe8p-15f;
    static constexpr float overflow = 89, underflow = -104, small = -120, minus_one = -20, normal = 0x1p-126f, enlarge = 0x1p25f;
    static constexpr int mantissa = 23, bias = 127, enlarged = 25;
    static constexpr int32 fraction = 0x007FFFFF, half = 0x3F000000;
    INLINE static float exponential(float r) {
        float p = 0.0013926184f;
        p = fma(p, r, 0.008363179f);
        p = fma(p, r, 0.041666556f);
        p = fma(p, r, 0.16666576f);
        return fma(p, r, 0.5f);
    }
    INLINE static float logarithm(float z) {
        float p = 0.29580986f;
        p = fma(p, z, 0.3998876f);
        return fma(p, z, 0.66666687f);
    }
};

template <class T> INLINE typename Real<T>::integer bits_of(T x) {
    typename Real<T>::integer bits;
    __builtin_memcpy(&bits, &x, sizeof x);
    return bits;
}

template <class T> INLINE T real_of(typename Real<T>::integer bits) {
    T x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

template <class T> INLINE T power_of_two(typename Real<T>::integer exponent) {
    return real_of<T>((exponent + Real<T>::bias) << Real<T>::mantissa);
}

// x = whole * log(2) + rest, |rest| <= log(2)/2; returns exp(rest) - 1.
template <class T> INLINE T reduce(T x, T& whole) {
    typedef Real<T> R;
    whole = fma(x, R::log2e, R::round) - R::round;
    const T rest = fma(-whole, R::ln2_rest, fma(-whole, R::ln2, x));
    return fma(rest * rest, R::exponential(rest), rest);
}

template <class T> INLINE typename Real<T>::integer integer_of(T whole) {
    return bits_of(whole + Real<T>::round) - bits_of(Real<T>::round);
}

// exp(x) / 2^down, for x of at most overflow + down.
template <class T> INLINE T exp_scaled(T x, T down) {
    typedef Real<T> R;
    x = x < R::underflow ? R::underflow : x;
    T whole;
    const T tail = reduce(x, whole);
    const bool subnormal = whole < T(2 - R::bias);
    const T scale = power_of_two<T>(integer_of(whole + ((subnormal ? T(R::enlarged) : T(-1)) - down)));
    return (T(1) + tail) * scale * (subnormal ? T(1) / R::enlarge : T(2));
}

template <class T> INLINE T exp(T x) { return exp_scaled(x > Real<T>::overflow ? Real<T>::overflow : x, T(0)); }

template <class T> INLINE T half_exp(T x) {
    const T most = Real<T>::overflow + T(1);
    return exp_scaled(x > most ? most : x, T(1));
}

template <class T> INLINE T expm1(T x) {
    typedef Real<T> R;
    x = x > R::overflow ? R::overflow : x;
    const T low = x < R::minus_one ? R::minus_one : x;
    T whole;
    const T tail = reduce(low, whole);
    const T scale = power_of_two<T>(integer_of(whole - T(1)));
    const T result = T(2) * fma(scale, tail, scale - T(0.5));
    return x == T(0) ? x : result;
}

template <class T> INLINE T log(T x) {
    typedef Real<T> R;
    const bool subnormal = x < R::normal;
    const T y = subnormal ? x * R::enlarge : x;
    const typename R::integer bits = bits_of(y);
    T m = real_of<T>((bits & R::fraction) | R::half);  // in [1/2, 1)
    T exponent = real_of<T>((bits >> R::mantissa) + bits_of(R::round)) - R::round - T(R::bias - 1);
    const bool lower = m < T(0.70710678118654752);
    m = lower ? m + m : m;
    exponent = exponent - (lower ? T(1) : T(0)) - (subnormal ? T(R::enlarged) : T(0));
    const T f = m - T(1), s = f / (T(2) + f), z = s * s, square = T(0.5) * f * f;
    const T low = fma(s, fma(z, R::logarithm(z), square), exponent * R::ln2_short_rest);
    const T result = fma(exponent, R::ln2_short, f - (square - low));
    const T infinity = T(__builtin_inf());
    const T edge = x == T(0) ? -infinity : x == infinity ? infinity : T(__builtin_nan(""));
    return (x > T(0)) & (x < infinity) ? result : edge;
}

// log(1 + x): what is lost in rounding 1 + x is put back (Kahan).
template <class T> INLINE T log1p(T x) {
    const T u = T(1) + x;
    const T lost = (x - (u - T(1))) / u;
    const T result = log(u);
    return x == T(0) ? x : (u > T(0)) & (u < T(__builtin_inf())) ? result + lost : result;
}

template <class T> INLINE T with_sign(T size, T x) { return x < T(0) ? -size : size; }

template <class T> INLINE T tanh(T x) {
    const T size = abs(x);
    const T e = expm1(T(2) * (size > T(22) ? T(22) : size));
    return x == T(0) ? x : with_sign(e / (e + T(2)), x);
}

template <class T> INLINE T sinh(T x) {
    const T size = abs(x);
    const bool large = size > T(20);
    const T e = expm1(large ? T(20) : size);
    const T result = large ? half_exp(size) : T(0.5) * (e + e / (e + T(1)));
    return x == T(0) ? x : with_sign(result, x);
}

template <class T> INLINE T cosh(T x) {
    const T half = half_exp(abs(x));
    return half + T(0.25) / half;
}

template <class T> INLINE T exprel(T x) {
    const bool zero = x == T(0);
    return zero ? T(1) : expm1(x) / (zero ? T(1) : x);
}

template <class T> INLINE T sigmoid(T x) {
    const T e = exp(-abs(x));
    return x >= T(0) ? T(1) / (T(1) + e) : e / (T(1) + e);
}

template <class T> INLINE T heaviside(T x) { return x > T(0) ? T(1) : T(0); }

}  // namespace birc
