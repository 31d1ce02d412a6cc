// How far birc's functions are from the truth, in units of the last place of the true value.
//   ulp NAME           every float; the truth is the C library's double function
//   ulp NAME TYPE N    N numbers of every size and from hard ranges; the truth has 113 bits (libquadmath)
// Prints the largest error, where it is, how many results are wrong where the truth is infinite or not a number, and how many were tested.
#include <quadmath.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

typedef __float128 quad;
template <class T> using Loop = void (*)(const T*, const T*, T*, long, long);

#define LOOP(name, type) extern "C" void name##_##type(const type*, const type*, type*, long, long);
#define LOOPS(name) LOOP(birc_##name, float) LOOP(birc_##name, double) LOOP(library_##name, double)
LOOPS(exp)
LOOPS(expm1)
LOOPS(exprel)
LOOPS(log)
LOOPS(log1p)
LOOPS(sin)
LOOPS(cos)
LOOPS(tan)
LOOPS(tanh)
LOOPS(sinh)
LOOPS(cosh)
LOOPS(sigmoid)
LOOPS(pow)

struct Function {
    const char* name;
    Loop<float> single;
    Loop<double> both, library;
    quad (*truth)(quad, quad, quad);
    double low, high;  // where it has ordinary values
    bool turns;        // NaN beyond an argument
};

#define ROW(name, truth, low, high, turns)                                                                          \
    {#name, birc_##name##_float, birc_##name##_double, library_##name##_double,                                      \
     [](quad x, quad y, quad largest) { return (void)y, (void)largest, truth; }, low, high, turns}

static const Function FUNCTIONS[] = {
    ROW(exp, expq(x), -746, 710, false),
    ROW(expm1, expm1q(x), -40, 710, false),
    ROW(exprel, x == 0 ? 1 : (expm1q(x) > largest ? quad(INFINITY) : expm1q(x)) / x, -746, 710, false),
    ROW(log, logq(x), 0, 10, false),
    ROW(log1p, log1pq(x), -1, 10, false),
    ROW(sin, sinq(x), -100, 100, true),
    ROW(cos, cosq(x), -100, 100, true),
    ROW(tan, tanq(x), -100, 100, true),
    ROW(tanh, tanhq(x), -25, 25, false),
    ROW(sinh, sinhq(x), -711, 711, false),
    ROW(cosh, coshq(x), -711, 711, false),
    ROW(sigmoid, x >= 0 ? 1 / (1 + expq(-x)) : expq(x) / (1 + expq(x)), -746, 40, false),
    ROW(pow, powq(x, y), 0, 10, false),
};

// The unit of the last place of a number.
static double place(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    const uint32_t exponent = bits >> 23 & 0xFF;
    const uint64_t wide = uint64_t((exponent > 0 ? exponent : 1) + 1023 - 150) << 52;
    double result;
    memcpy(&result, &wide, 8);
    return result;
}

static double place(double x) { return std::ldexp(1.0, std::ilogb(x) < -1022 ? -1074 : std::ilogb(x) - 52); }

template <class T> struct Worst {
    double ulp = 0;
    T x = 0, y = 0;
    long wrong = 0, tested = 0;

    // A result beside the true value; an infinite one stands for the power of two after the largest number.
    template <class S> void see(T found, S truth, T at, T exponent = 0) {
        tested++;
        const T rounded = T(truth);
        if (rounded != rounded || std::isinf(rounded) || truth == 0) {
            wrong += found != rounded && (found == found || rounded == rounded);
            return;
        }
        constexpr T largest = std::numeric_limits<T>::max();
        S given = found;
        if (std::isinf(found)) given = S(std::copysign(largest, found)) + S(std::copysign(T(place(largest)), found));
        const double error = double((given > truth ? given - truth : truth - given) / place(rounded));
        if (!(error <= ulp)) ulp = error == error ? error : HUGE_VAL, x = at, y = exponent;
    }

    void add(const Worst& other) {
        tested += other.tested, wrong += other.wrong;
        if (other.ulp > ulp) ulp = other.ulp, x = other.x, y = other.y;
    }

    int print() const { return printf("%.4f %a %a %ld %ld\n", ulp, double(x), double(y), wrong, tested), 0; }
};

constexpr long CHUNK = 1 << 12;

// The true value where the library's vector function is not asked; NaN beyond `most`, and of a NaN.
static quad special(const Function& f, float x, float most) {
    const bool known = std::fabs(x) <= most || (std::isinf(x) && !f.turns);
    return known ? f.truth(x, 0, std::numeric_limits<float>::max()) : quad(NAN);
}

static Worst<float> all(const Function& f) {
    Worst<float> worst;
    double known = 0;  // of the largest error so far: what is nearer needs no second look
    const float most = f.turns ? 0x1p20f : std::numeric_limits<float>::max();
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t first = 0; first < int64_t(1) << 32; first += CHUNK) {
        alignas(64) float x[CHUNK], found[CHUNK];
        alignas(64) double wide[CHUNK], truth[CHUNK];
        uint8_t far[CHUNK];
        for (long i = 0; i < CHUNK; i++) {
            const uint32_t bits = uint32_t(first + i);
            memcpy(&x[i], &bits, 4);
            const bool steep = x[i] > 80 && x[i] < 100;  // where the type may overflow, and double does not
            wide[i] = std::fabs(x[i]) <= most && x[i] != 0 && !steep ? x[i] : 1;  // the library's vector functions are for ordinary numbers
        }
        f.single(x, x, found, CHUNK, 1);
        f.library(wide, wide, truth, CHUNK, 1);
        Worst<float> here;
#pragma omp atomic read
        here.ulp = known;
        for (long i = 0; i < CHUNK; i++) {
            const bool near = std::fabs(found[i] - truth[i]) <= here.ulp * place(float(truth[i]));
            far[i] = !near | (wide[i] != x[i]);
        }
        for (long i = 0; i < CHUNK; i++)
            if (!far[i]) here.tested++;
            else if (wide[i] == x[i]) here.see(found[i], truth[i], x[i]);
            else here.see(found[i], special(f, x[i], most), x[i]);
#pragma omp critical
        {
            worst.add(here);
#pragma omp atomic write
            known = worst.ulp;
        }
    }
    return worst;
}

// Numbers without a pattern (Marsaglia, 2003).
struct Random {
    uint64_t state;

    uint64_t bits() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return state * 0x9E3779B97F4A7C15;
    }
    double uniform(double low, double high) { return low + (high - low) * (double(bits() >> 11) * 0x1p-53); }
    double any(double most) { return std::ldexp(uniform(-1, 1), int(uniform(-1074, most))); }
};

// A number for a function: of every size, from the range of ordinary values, near 1, or near a multiple of pi/2.
static double argument(const Function& f, Random& random, double most, long i) {
    if (i % 4 == 0) return random.any(f.turns ? most : 1024);
    if (i % 4 == 1 || (i % 4 == 3 && !f.turns)) return random.uniform(f.low, f.high);
    if (!f.turns) return 1 + random.any(-2);
    const quad turns = floorq(quad(std::ldexp(random.uniform(0.5, 1), int(random.uniform(0, most)))));
    const double near = double(turns * M_PI_2q);
    return near * (1 + (i % 4 == 3 ? 0 : double(int64_t(random.bits() % 9) - 4) * 0x1p-52));
}

template <class T> static Worst<T> some(const Function& f, Loop<T> loop, long count) {
    Worst<T> worst;
    const bool single = sizeof(T) == 4, power = !strcmp(f.name, "pow");
#pragma omp parallel for schedule(dynamic)
    for (long first = 0; first < count; first += CHUNK) {
        Random random{uint64_t(first) * 2654435769 + 88172645463325252};
        alignas(64) T x[CHUNK], y[CHUNK], found[CHUNK];
        for (long i = 0; i < CHUNK; i++) {
            x[i] = T(argument(f, random, single ? 20 : 48, i));
            y[i] = 0;
            if (!power) continue;
            if (i % 16) x[i] = std::fabs(x[i]);
            const double size = std::log2(std::fabs(double(x[i])));  // half of the powers are near the largest and the least number
            y[i] = T(i % 3 == 0 ? random.any(10) : random.uniform(-1, 1) * (single ? 151 : 1077) / size);
            if (i % 16 == 0) y[i] = std::floor(y[i]);
        }
        loop(x, y, found, CHUNK, 1);
        Worst<T> here;
        for (long i = 0; i < CHUNK; i++) here.see(found[i], f.truth(x[i], y[i], std::numeric_limits<T>::max()), x[i], y[i]);
#pragma omp critical
        worst.add(here);
    }
    return worst;
}

int main(int count, char** words) {
    for (const Function& f : FUNCTIONS) {
        if (count < 2 || strcmp(f.name, words[1])) continue;
        if (count == 2) return all(f).print();
        const long number = count == 4 ? atol(words[3]) : 0;
        if (count == 4 && !strcmp(words[2], "float")) return some<float>(f, f.single, number).print();
        if (count == 4 && !strcmp(words[2], "double")) return some<double>(f, f.both, number).print();
    }
    return fprintf(stderr, "usage: ulp NAME [float|double NUMBER]\n"), 2;
}
