// A loop over an array for each function: of birc, whose headers stand before this text, or with -DLIBRARY of the C library, which
// -ffast-math gives vector functions. NAMED says how a loop is called.
#ifdef LIBRARY
#include <cmath>
namespace functions {
using std::cos, std::cosh, std::exp, std::expm1, std::log, std::log1p, std::pow, std::sin, std::sinh, std::tan, std::tanh;
template <class T> inline T exprel(T x) { return x == T(0) ? T(1) : std::expm1(x) / x; }
template <class T> inline T sigmoid(T x) { return T(1) / (T(1) + std::exp(-x)); }
}  // namespace functions
#define NAMED(name, type) library_##name##_##type
#else
namespace functions = birc;
#define NAMED(name, type) birc_##name##_##type
#endif

#define EXPORT extern "C" __attribute__((visibility("default")))

// The compiler must not see that all repeats are the same.
#define LOOP(name, type, ...)                                                                                                             \
    EXPORT void NAMED(name, type)(const type* __restrict x, const type* __restrict y, type* __restrict result, long n, long repeats) {    \
        for (long repeat = 0; repeat < repeats; repeat++) {                                                                               \
            for (long i = 0; i < n; i++) result[i] = functions::name(__VA_ARGS__);                                                        \
            asm volatile("" ::: "memory");                                                                                                \
        }                                                                                                                                 \
    }
#define LOOPS(name, ...) LOOP(name, float, __VA_ARGS__) LOOP(name, double, __VA_ARGS__)

LOOPS(exp, x[i])
LOOPS(expm1, x[i])
LOOPS(exprel, x[i])
LOOPS(log, x[i])
LOOPS(log1p, x[i])
LOOPS(sin, x[i])
LOOPS(cos, x[i])
LOOPS(tan, x[i])
LOOPS(tanh, x[i])
LOOPS(sinh, x[i])
LOOPS(cosh, x[i])
LOOPS(sigmoid, x[i])
LOOPS(pow, x[i], y[i])
