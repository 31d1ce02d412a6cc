// Philox4x32-10 and its normal draws: the operations of the NumPy reference in the same order, so the same bits.
namespace birc {

struct Words {
    uint64 w0, w1, w2, w3;
};

INLINE Words philox(uint64 c0, uint64 c1, uint64 c2, uint64 c3, uint32 k0, uint32 k1) {
    for (int round = 0; round < 10; round++) {
        const uint64 first = c0 * 0xD2511F53u, second = c2 * 0xCD9E8D57u;
        c0 = (second >> 32) ^ c1 ^ k0;
        c2 = (first >> 32) ^ c3 ^ k1;
        c1 = second & 0xFFFFFFFFu;
        c3 = first & 0xFFFFFFFFu;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
}

// A whole number below 2^53, exactly. AVX2 has no vector instruction for it: there both halves become the digits of a large number, which is taken away.
INLINE double whole(uint64 k) {
#if defined(__AVX2__) && !defined(__AVX512DQ__)
    const uint64 upper = (k >> 32) | 0x4530000000000000u, lower = (k & 0xFFFFFFFFu) | 0x4330000000000000u;  // 2^84 + …, 2^52 + …
    double high, low;
    __builtin_memcpy(&high, &upper, 8);
    __builtin_memcpy(&low, &lower, 8);
    return (high - 0x1.00000001p84) + low;
#else
    return double((int64)k);
#endif
}

INLINE double uniform_of(uint64 high, uint64 low) {
    const uint64 k = (high << 21) | (low >> 11);
    return (whole(k) + 0.5) * 0x1p-53;
}

INLINE double draw_log(double x) {
    uint64 bits;
    __builtin_memcpy(&bits, &x, 8);
    const uint64 fraction = (bits & 0x000FFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    double m;
    __builtin_memcpy(&m, &fraction, 8);
    double e = whole(bits >> 52) - 1023.0;
    const bool large = m > 1.4142135623730951;
    m = large ? 0.5 * m : m;
    e = large ? e + 1.0 : e;
    const double s = (m - 1.0) / (m + 1.0);
    const double z = s * s;
    double p = 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    return e * 0.6931471805599453 + 2.0 * s * p;
}

INLINE double cos_turns(double u) {
    const double rest = 1.0 - u;
    const double x = 3.141592653589793 * (0.5 - 2.0 * (u < rest ? u : rest));
    const double z = x * x;
    double p = 1.0 / 51090942171709440000.0;
    p = p * z + -1.0 / 121645100408832000.0;
    p = p * z + 1.0 / 355687428096000.0;
    p = p * z + -1.0 / 1307674368000.0;
    p = p * z + 1.0 / 6227020800.0;
    p = p * z + -1.0 / 39916800.0;
    p = p * z + 1.0 / 362880.0;
    p = p * z + -1.0 / 5040.0;
    p = p * z + 1.0 / 120.0;
    p = p * z + -1.0 / 6.0;
    p = p * z + 1.0;
    return x * p;
}

INLINE double normal(uint64 seed, uint32 stream, int64 step, uint32 instance, uint32 lane) {
    const uint64 high = (((uint64)step >> 32) & 0xFFFFu) << 16 | lane;
    const Words w = philox((uint64)step & 0xFFFFFFFFu, high, instance, stream, (uint32)seed, (uint32)(seed >> 32));
    const double radius = __builtin_sqrt(-2.0 * draw_log(uniform_of(w.w0, w.w1)));
    return radius * cos_turns(uniform_of(w.w2, w.w3));
}

}  // namespace birc
