// Functions of the op table for float and double, without branches, so that loops over them become vector code.
// All but abs, sqrt and floor are birc's own: polynomials that interpolate at Chebyshev nodes (computed in exact arithmetic), with fused
// multiply-add where it is written and nowhere else. So every C-like target has the same bits. Each is within 3 ulp of the true value;
// sin, cos and tan up to the argument `Real::most_turned`, beyond which they are NaN.
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
INLINE float with_sign(float size, float x) { return __builtin_copysignf(size, x); }
INLINE double with_sign(double size, double x) { return __builtin_copysign(size, x); }

// A NaN on either side comes through, as in NumPy.
template <class T> INLINE T min(T a, T b) { return ((a < b) | (a != a)) ? a : b; }
template <class T> INLINE T max(T a, T b) { return ((a > b) | (a != a)) ? a : b; }

// What differs between the two types. The polynomials are those of functions less their first terms:
//   exponential     (exp(r) - 1 - r) / r^2 by r and z = r^2, |r| <= log(2)/2
//   logarithm       (2 atanh(s) - 2 s) / s^3 by z = s^2, s <= 3 - 2 sqrt(2)
//   logarithm_rest  (2 atanh(s) - 2 s - 2/3 s^3) / s^5 / log(2) by z = s^2, s <= 3 - 2 sqrt(2)
//   wave            (sin(r) - r) / r^3 by z = r^2, |r| <= 1.65
//   crest           (cos(r) - 1 + r^2/2) / r^4 by z = r^2, |r| <= pi/4
// `round` is added and taken away to round to a whole number, which then stands in the last bits of the sum.
template <class T> struct Real;

template <> struct Real<double> {
    typedef int64 integer;
    typedef uint64 word;
    static constexpr int bits = 64, mantissa = 52, bias = 1023;
    static constexpr double round = 0x1.8p52, whole = 0x1p52, normal = 0x1p-1022, enlarge = 0x1p54, enlarged = 54, tiny = 0x1p-60;
    static constexpr double underflow = -746, minus_one = -40, aside = 64, far = 0x1p64;
    static constexpr double least_power = -1077, most_turned = 0x1p48;
    static constexpr uint64 fraction = 0x000FFFFFFFFFFFFF, root = 0x3FE6A09E667F3BCD, below_one = 0x3FF0000000000000 - root;
    static constexpr double log2e = 0x1.71547652b82fep0, ln2 = 0x1.62e42fefa39efp-1, ln2_rest = 0x1.abc9e3b39803fp-56;
    static constexpr double ln2_short = 0x1.62e42feep-1, ln2_short_rest = 0x1.a39ef35793c76p-33;
    static constexpr double twice_log2e = 0x1.71547652b82fep1, twice_log2e_rest = 0x1.777d0ffda0d24p-55;
    static constexpr double two_thirds_log2e = 0x1.ec709dc3a03fdp-1, two_thirds_log2e_rest = 0x1.d27f05548af0cp-55;
    static constexpr double per_pi = 0x1.45f306dc9c883p-2;
    static constexpr double pi = 0x1.921fb54442d18p1, pi_2 = 0x1.1a62633145c07p-53, pi_3 = -0x1.f1976b7ed8fbcp-109;
    INLINE static double exponential(double r, double z) {
        double p = fma(2.509554606865001e-08, r, 2.7613795667584423e-07);
        p = fma(p, z, fma(2.755728008252803e-06, r, 2.4801536408860383e-05));
        p = fma(p, z, fma(0.00019841269854330848, r, 0.0013888888905871448));
        p = fma(p, z, fma(0.008333333333332157, r, 0.041666666666651364));
        return fma(p, z, fma(0.16666666666666666, r, 0.5));
    }
    INLINE static double logarithm(double z) {
        double p = 0.14616449685043403;
        p = fma(p, z, 0.15331721600556042);
        p = fma(p, z, 0.18182889125261723);
        p = fma(p, z, 0.2222221113479508);
        p = fma(p, z, 0.28571428625975487);
        p = fma(p, z, 0.39999999999899505);
        return fma(p, z, 0.666666666666667);
    }
    INLINE static double logarithm_rest(double z) {
        double p = 0.16912787582324887;
        p = fma(p, z, 0.1688854671740239);
        p = fma(p, z, 0.19238055945712837);
        p = fma(p, z, 0.22195278870596163);
        p = fma(p, z, 0.26230819146702117);
        p = fma(p, z, 0.3205988979671597);
        p = fma(p, z, 0.4121985831111439);
        return fma(p, z, 0.5770780163555853);
    }
    INLINE static double wave(double z) {
        double p = 2.723299184319416e-15;
        p = fma(p, z, -7.643283266180564e-13);
        p = fma(p, z, 1.6058954663642443e-10);
        p = fma(p, z, -2.505210724902445e-08);
        p = fma(p, z, 2.7557319216117155e-06);
        p = fma(p, z, -0.00019841269841243078);
        p = fma(p, z, 0.008333333333333299);
        return fma(p, z, -0.16666666666666666);
    }
    INLINE static double crest(double z) {
        double p = -1.1382632425521717e-11;
        p = fma(p, z, 2.08761462684032e-09);
        p = fma(p, z, -2.7557317271729793e-07);
        p = fma(p, z, 2.480158729876569e-05);
        p = fma(p, z, -0.0013888888888887398);
        return fma(p, z, 0.041666666666666664);
    }
};

template <> struct Real<float> {
    typedef int32 integer;
    typedef uint32 word;
    static constexpr int bits = 32, mantissa = 23, bias = 127;
    static constexpr float round = 0x1.8p23f, whole = 0x1p23f, normal = 0x1p-126f, enlarge = 0x1p25f, enlarged = 25, tiny = 0x1p-30f;
    static constexpr float underflow = -104, minus_one = -20, aside = 32, far = 0x1p32f;
    static constexpr float least_power = -151, most_turned = 0x1p20f;
    static constexpr uint32 fraction = 0x007FFFFF, root = 0x3F3504F3, below_one = 0x3F800000 - root;
    static constexpr float log2e = 0x1.715476p0f, ln2 = 0x1.62e43p-1f, ln2_rest = -0x1.05c61p-29f;
    static constexpr float ln2_short = 0x1.62ep-1f, ln2_short_rest = 0x1.0bfbe8p-15f;
    static constexpr float twice_log2e = 0x1.715476p1f, twice_log2e_rest = 0x1.4ae0cp-25f;
    static constexpr float two_thirds_log2e = 0x1.ec709ep-1f, two_thirds_log2e_rest = -0x1.e2fe02p-28f;
    static constexpr float per_pi = 0x1.45f306p-2f;
    static constexpr float pi = 0x1.921fb6p1f, pi_2 = -0x1.777a5cp-24f, pi_3 = -0x1.ee59dap-49f;
    INLINE static float exponential(float r, float z) {
        float p = 0.0013918714f;
        p = fma(p, z, fma(0.0083572f, r, 0.041666623f));
        return fma(p, z, fma(0.16666631f, r, 0.5f));
    }
    INLINE static float logarithm(float z) {
        float p = 0.2957995f;
        p = fma(p, z, 0.3998878f);
        return fma(p, z, 0.66666687f);
    }
    INLINE static float logarithm_rest(float z) {
        float p = 0.27584845f;
        p = fma(p, z, 0.32034704f);
        p = fma(p, z, 0.41220006f);
        return fma(p, z, 0.57707804f);
    }
    INLINE static float wave(float z) {
        float p = -2.3981809e-08f;
        p = fma(p, z, 2.7531994e-06f);
        p = fma(p, z, -0.00019841024f);
        p = fma(p, z, 0.008333333f);
        return fma(p, z, -0.16666667f);
    }
    INLINE static float crest(float z) {
        float p = 2.4547942e-05f;
        p = fma(p, z, -0.0013888302f);
        return fma(p, z, 0.041666664f);
    }
};

template <class T> INLINE typename Real<T>::word bits_of(T x) {
    typename Real<T>::word bits;
    __builtin_memcpy(&bits, &x, sizeof x);
    return bits;
}

template <class T> INLINE T real_of(typename Real<T>::word bits) {
    T x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

// exp(r) - 1, |r| <= log(2)/2.
template <class T> INLINE T small_expm1(T r) {
    const T z = r * r;
    return fma(z, Real<T>::exponential(r, z), r);
}

template <class I> INLINE I lesser(I a, I b) { return a < b ? a : b; }

// A sum with `round` that stands for a biased exponent, kept to that of a number below infinity. As whole numbers, which compilers take as
// one instruction; a NaN becomes a number.
template <class T> INLINE T at_most_normal(T shifted) {
    typedef typename Real<T>::integer integer;
    return real_of<T>(lesser<integer>(bits_of(shifted), bits_of(Real<T>::round + T(2 * Real<T>::bias))));
}

// exp(x) = power * (1 + tail) / 2^moved, where `power` stays below infinity, and `tail` becomes large instead. `power` is a normal number
// unless x is too low.
template <class T> struct Exponential {
    T power, tail;
};

template <class T> INLINE Exponential<T> split_exp(T x, T moved) {
    typedef Real<T> R;
    const T round = R::round + T(R::bias) + moved;
    const T shifted = at_most_normal(fma(x, R::log2e, round)), n = shifted - round;
    return {real_of<T>(bits_of(shifted) << R::mantissa), small_expm1(fma(-n, R::ln2_rest, fma(-n, R::ln2, x)))};
}

template <class T> INLINE T exp(T x) {
    typedef Real<T> R;
    const bool below = x < T(0);
    const Exponential<T> e = split_exp(x, below ? R::aside : -R::aside);
    const T result = fma(e.power, e.tail, e.power) * (below ? T(1) / R::far : R::far);
    return x < R::underflow ? T(0) : result;
}

// (exp(x) - 1) / 2, but for the last bit of subnormal numbers.
template <class T> INLINE T half_expm1(T x) {
    const Exponential<T> e = split_exp(x, T(-1));
    return x < Real<T>::minus_one ? T(-0.5) : fma(e.power, e.tail, e.power - T(0.5));
}

template <class T> INLINE T expm1(T x) { return abs(x) < Real<T>::tiny ? x : T(2) * half_expm1(x); }

// (exp(x) - 1) / x: infinite where exp(x) - 1 is.
template <class T> INLINE T exprel(T x) {
    const T away = abs(x) < Real<T>::tiny ? Real<T>::tiny : x;
    return T(2) * half_expm1(away) / away;
}

template <class T> INLINE T sigmoid(T x) {
    typedef Real<T> R;
    const T fall = -abs(x);
    const Exponential<T> part = split_exp(fall, R::aside);
    const T e = fall < R::underflow ? T(0) : fma(part.power, part.tail, part.power) * (T(1) / R::far);
    return (x >= T(0) ? T(1) : e) / (T(1) + e);
}

template <class T> INLINE T tanh(T x) {
    const T size = abs(x);
    const Exponential<T> part = split_exp(T(2) * size, T(0));
    const T e = fma(part.power, part.tail, part.power - T(1));
    return with_sign(size > T(22) ? T(1) : e / (e + T(2)), x);
}

template <class T> INLINE T sinh(T x) {
    typedef Real<T> R;
    const T size = abs(x);
    const Exponential<T> e = split_exp(size, T(-2));
    const T half = T(2) * fma(e.power, e.tail, e.power - T(0.25));
    const T finite = half > R::far ? R::far : half;
    return size < R::tiny ? x : with_sign(half + finite / (finite + finite + T(1)), x);
}

template <class T> INLINE T cosh(T x) {
    const Exponential<T> e = split_exp(abs(x), T(-2));
    const T half = T(2) * fma(e.power, e.tail, e.power);
    return half + T(0.25) / half;
}

// x = fraction * 2^exponent, sqrt(1/2) <= fraction < sqrt(2), for finite x > 0.
template <class T> struct Scaled {
    T fraction, exponent;
};

template <class T> INLINE Scaled<T> scaled(T x) {
    typedef Real<T> R;
    const bool subnormal = x < R::normal;
    const typename R::word bits = bits_of(subnormal ? x * R::enlarge : x) + R::below_one;
    const T exponent = real_of<T>((bits >> R::mantissa) | bits_of(R::whole)) - (R::whole + T(R::bias));
    return {real_of<T>((bits & R::fraction) + R::root), subnormal ? exponent - R::enlarged : exponent};
}

template <class T> INLINE T log(T x) {
    typedef Real<T> R;
    const Scaled<T> y = scaled(x);
    const T f = y.fraction - T(1), s = f / (T(2) + f), z = s * s, square = T(0.5) * f * f;
    const T low = fma(s, fma(z, R::logarithm(z), square), y.exponent * R::ln2_short_rest);
    const T result = fma(y.exponent, R::ln2_short, f - (square - low));
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

// A sum of two numbers of which the second is less than the last place of the first.
template <class T> struct Sum {
    T high, low;
};

// log2(x) for finite x > 0, with a relative error below 2^-63 (double) and 2^-34 (float): 2/log(2) atanh(s), each product and sum of
// its first terms with what rounding takes from it (Dekker, 1971).
template <class T> INLINE Sum<T> exact_log2(T x) {
    typedef Real<T> R;
    const Scaled<T> y = scaled(x);
    const T f = y.fraction - T(1), d = y.fraction + T(1), d_low = y.fraction - (d - T(1)), per_d = T(1) / d;
    const T s = f * per_d, s_low = (fma(-s, d, f) - s * d_low) * per_d;
    const T z = s * s, z_low = fma(s + s, s_low, fma(s, s, -z));
    const T t = z * R::logarithm_rest(z);
    const T a = R::two_thirds_log2e + t, a_low = ((R::two_thirds_log2e - a) + t) + R::two_thirds_log2e_rest;
    const T b = z * a, b_low = fma(z, a, -b) + fma(z, a_low, z_low * a);
    const T c = R::twice_log2e + b, c_low = ((R::twice_log2e - c) + b) + (b_low + R::twice_log2e_rest);
    const T l = s * c, l_low = fma(s, c, -l) + fma(s, c_low, s_low * c);
    const T high = y.exponent + l;
    return {high, ((y.exponent - high) + l) + l_low};
}

// As C99 has it: 1 for y = 0 and for x = 1 even of a NaN, NaN for x < 0 unless y is whole.
template <class T> INLINE T pow(T x, T y) {
    typedef Real<T> R;
    const T infinity = T(__builtin_inf()), size = abs(x);
    const Sum<T> log2 = exact_log2(size);
    const T high = size < infinity ? (size == T(0) ? -infinity : log2.high) : size;
    const T exponent = y * high;
    const T low = abs(exponent) < R::far ? fma(y, high, -exponent) + y * log2.low : T(0);
    const bool below = exponent < T(0);
    const T round = R::round + T(R::bias) + (below ? R::aside : -R::aside);
    const T shifted = at_most_normal(exponent + round), tail = small_expm1(((exponent - (shifted - round)) + low) * R::ln2);
    const T power = real_of<T>(bits_of(shifted) << R::mantissa);
    const T scaled = fma(power, tail, power) * (below ? T(1) / R::far : R::far);
    const T found = exponent < R::least_power ? T(0) : scaled;
    const T result = (y == T(0)) | (size == T(1)) ? T(1) : found;
    const T half = T(0.5) * y;
    const bool whole = floor(y) == y, odd = whole & (floor(half) != half);
    return (x < T(0)) & !whole & (size < infinity) ? T(__builtin_nan("")) : odd ? with_sign(result, x) : result;
}

// x - n pi, n a multiple of 1/2 that leaves less than 2 (Cody and Waite, 1980): the first difference is exact, since it is a multiple of
// the last place of pi or of x.
template <class T> INLINE Sum<T> without_turns(T x, T n) {
    typedef Real<T> R;
    const T near = fma(-n, R::pi, x), next = n * R::pi_2, high = near - next;
    return {high, fma(-n, R::pi_3, ((near - high) - next) - fma(n, R::pi_2, -next))};
}

// sin(r.high + r.low); 1 - 0.405 r^2 stands for the slope, cos(r).
template <class T> INLINE T small_sin(Sum<T> r) {
    const T z = r.high * r.high;
    return r.high + fma(r.high * z, Real<T>::wave(z), r.low * fma(z, T(-0.405), T(1)));
}

// sin(x) or -sin(x), as the last bit of `turns` says.
template <class T> INLINE T turned(T x, T turns) { return real_of<T>(bits_of(x) ^ (bits_of(turns) << (Real<T>::bits - 1))); }

template <class T> INLINE T sin(T x) {
    typedef Real<T> R;
    const T turns = fma(x, R::per_pi, R::round);
    const T result = turned(small_sin(without_turns(x, turns - R::round)), turns);
    return abs(x) <= R::most_turned ? (x == T(0) ? x : result) : T(__builtin_nan(""));
}

// cos(x) = sin(x + pi/2)
template <class T> INLINE T cos(T x) {
    typedef Real<T> R;
    const T turns = fma(x, R::per_pi, T(0.5)) + R::round;
    const T result = turned(small_sin(without_turns(x, (turns - R::round) - T(0.5))), turns);
    return abs(x) <= R::most_turned ? (x == T(0) ? T(1) : result) : T(__builtin_nan(""));
}

template <class T> INLINE T tan(T x) {
    typedef Real<T> R;
    const T turns = fma(x, T(2) * R::per_pi, R::round);
    const Sum<T> r = without_turns(x, T(0.5) * (turns - R::round));
    const T z = r.high * r.high, sine = small_sin(r);
    const T cosine = T(1) - (T(0.5) * z - fma(z * z, R::crest(z), -(r.high * r.low)));
    const bool odd = (bits_of(turns) & 1) != 0;
    const T result = (odd ? -cosine : sine) / (odd ? sine : cosine);
    return abs(x) <= R::most_turned ? (x == T(0) ? x : result) : T(__builtin_nan(""));
}

template <class T> INLINE T heaviside(T x) { return x > T(0) ? T(1) : T(0); }

}  // namespace birc
