// Products with rows that are mostly zeros, y = x w + b and dL/dw = x^T dL/dy: only what is not 0 in x takes part.
//
// x is looked at in blocks of 32 rows. Of a block, a word for each column tells by its bits which rows are not 0 there ("columns",
// [ceil(rows / 32), features in whole vectors]): 1 bit for each value, all that has to be kept of an x of 0 and 1.
// Sums go through columns in one order, whether they are made from x or kept.

namespace product {

enum { BITS = 32, WIDE = 16, MORE = 4 };
enum : int64 { CACHED = 1 << 17 };  // floats of dL/dy that stay in the second cache while columns go over them

#define VECTOR(name, type, count) typedef type name __attribute__((vector_size(sizeof(type) * (count)), aligned(sizeof(type)), may_alias))
VECTOR(floats, float, WIDE);
VECTOR(words, uint32, WIDE);
template <int LENGTH> struct Vector {  // as an argument of a template a vector would lose its attributes
    VECTOR(type, float, LENGTH);
};
#undef VECTOR

INLINE int64 least(int64 a, int64 b) { return a < b ? a : b; }
INLINE int64 whole(int64 features) { return (features + WIDE - 1) / WIDE * WIDE; }

// Bit i of lane j: whether value j of row i is not 0. `other` gathers values that are neither 0 nor 1.
INLINE words marks(const float* from, int64 stride, int64 rows, words& other) {
    words found = {};
    const floats zero = {}, ones = zero + 1.0f;
    for (int64 i = 0; i < rows; i++) {
        const floats value = *(const floats*)(from + i * stride);
        const words some = (words)(value != zero);
        found |= some & (words{} + (1u << i));
        other |= some & (words)(value != ones);
    }
    return found;
}

// Words of the columns from `first`, which begins a vector, to `end`, of up to 32 rows; true where they hold nothing but 0 and 1.
INLINE bool mark_columns(const float* x, int64 features, int64 rows, int64 first, int64 end, uint32* to) {
    words other = {};
    int64 k = first;
    for (; k + WIDE <= end; k += WIDE) *(words*)(to + k) = marks(x + k, features, rows, other);
    if (k < end) {
        float few[BITS * WIDE] = {};
        for (int64 i = 0; i < rows; i++)
            for (int64 j = 0; k + j < end; j++) few[i * WIDE + j] = x[i * features + k + j];
        *(words*)(to + k) = marks(few, WIDE, rows, other);
    }
    uint32 any = 0;
    for (int j = 0; j < WIDE; j++) any |= other[j];
    return !any;
}

// Writes first + step * bit for each bit that is set, and up to 4 numbers of no meaning behind them, so that few loops branch.
INLINE int32* list_bits(uint32 word, int64 first, int64 step, int32* to) {
    const int count = __builtin_popcount(word);
    int done = 0;
    do {
        for (int i = 0; i < MORE; i++) {
            to[done + i] = (int32)(first + step * __builtin_ctzll(word | 1ull << BITS));
            word &= word - 1;
        }
    } while ((done += MORE) < count);
    return to + count;
}

// The columns where a row of a block is not 0.
INLINE int64 list_row(const uint32* columns, int64 size, int64 row, int32* list) {
    int32* end = list;
    const words bit = words{} + (1u << row), zero = {};
    for (int64 k = 0; k < size; k += BITS * WIDE) {
        words found = {};
        const int64 vectors = least(BITS, (size - k) / WIDE);
        for (int64 i = 0; i < vectors; i++) found |= (words)((*(const words*)(columns + k + i * WIDE) & bit) != zero) & (words{} + (1u << i));
        for (int j = 0; j < WIDE; j++) end = list_bits(found[j], k + j, WIDE, end);
    }
    return end - list;
}

// Adds rows of `from`, those listed, times weights where there are any, to a vector that stays in registers.
template <int LENGTH, int COUNT, bool WEIGHED>
INLINE void add_vectors(const int32* list, const float* weights, int64 count, const float* from, int64 stride, float* to) {
    typedef typename Vector<LENGTH>::type Lanes;
    Lanes sum[COUNT];
#pragma GCC unroll 16
    for (int j = 0; j < COUNT; j++) sum[j] = *(const Lanes*)(to + j * LENGTH);
    for (int64 q = 0; q < count; q++) {
        const float* row = from + list[q] * stride;
#pragma GCC unroll 16
        for (int j = 0; j < COUNT; j++) {
            if (WEIGHED) sum[j] += *(const Lanes*)(row + j * LENGTH) * weights[q];
            else sum[j] += *(const Lanes*)(row + j * LENGTH);
        }
    }
#pragma GCC unroll 16
    for (int j = 0; j < COUNT; j++) *(Lanes*)(to + j * LENGTH) = sum[j];
}

template <bool WEIGHED> void add_rows(const int32* list, const float* weights, int64 count, const float* from, int64 units, float* to) {
    int64 n = 0;
#define PIECES(LENGTH, COUNT)                                \
    for (; n + LENGTH * COUNT <= units; n += LENGTH * COUNT) \
    add_vectors<LENGTH, COUNT, WEIGHED>(list, weights, count, from + n, units, to + n)
    PIECES(WIDE, 8);
    PIECES(WIDE, 4);
    PIECES(WIDE, 1);
    PIECES(8, 1);
    PIECES(4, 1);
    PIECES(2, 1);
    PIECES(1, 1);
#undef PIECES
}

}  // namespace product

#define API extern "C" __attribute__((visibility("default")))

// How many values of some rows, evenly spread, are not 0.
API int64 birc_product_count(const float* x, int64 rows, int64 features, int64 spacing) {
    int64 found = 0;
    for (int64 row = 0; row < rows; row += spacing) {
        int32 here = 0;
        for (int64 k = 0; k < features; k++) here += x[row * features + k] != 0;
        found += here;
    }
    return found;
}

// y = x w + b; b null is 0. `columns`, if not null, are filled from x, or tell all of x where x is null. The result says whether x holds
// nothing but 0 and 1. Threads share the blocks of rows, so their number changes no result.
API int birc_product(
    int64 rows, int64 features, int64 units, int64 threads, const float* x, uint32* columns, const float* w, const float* b, float* y
) {
    using namespace product;
    const int64 blocks = (rows + BITS - 1) / BITS, size = whole(features);
    int other = 0;
#pragma omp parallel num_threads((int)threads) if (threads > 1) reduction(| : other)
    {
        int32* list = new int32[size + MORE];
        float* weights = new float[size];
        uint32* own = new uint32[size];
#pragma omp for schedule(static)
        for (int64 block = 0; block < blocks; block++) {
            const int64 first = block * BITS, count = least(BITS, rows - first);
            uint32* marked = columns ? columns + block * size : own;
            const bool plain = !x || mark_columns(x + first * features, features, count, 0, features, marked);
            other |= !plain;
            for (int64 r = 0; r < count; r++) {
                float* to = y + (first + r) * units;
                for (int64 n = 0; n < units; n++) to[n] = b ? b[n] : 0;
                const int64 some = list_row(marked, size, r, list);
                if (plain) {
                    add_rows<false>(list, nullptr, some, w, units, to);
                } else {
                    for (int64 q = 0; q < some; q++) weights[q] = x[(first + r) * features + list[q]];
                    add_rows<true>(list, weights, some, w, units, to);
                }
            }
        }
        delete[] list;
        delete[] weights;
        delete[] own;
    }
    return !other;
}

// dL/dw from dL/dy, and from x or, where x is null, from its columns. Threads share the columns, so their number changes no result.
API void birc_product_back(
    int64 rows, int64 features, int64 units, int64 threads, const float* x, const uint32* columns, const float* up, float* bar
) {
    using namespace product;
    const int64 blocks = (rows + BITS - 1) / BITS, size = whole(features), vectors = size / WIDE;
    const int64 together = least(blocks, CACHED / (units + 1) / BITS + 1);  // blocks of rows
#pragma omp parallel num_threads((int)threads) if (threads > 1)
    {
        int32* list = new int32[together * BITS + MORE];
        float* weights = new float[together * BITS];
        uint32* own = new uint32[x ? together * size : 1];
#pragma omp for schedule(static)
        for (int64 thread = 0; thread < threads; thread++) {
            const int64 from = vectors * thread / threads * WIDE, end = least(features, vectors * (thread + 1) / threads * WIDE);
            for (int64 i = from * units; i < end * units; i++) bar[i] = 0;
            for (int64 block = 0; block < blocks; block += together) {
                const int64 some = least(together, blocks - block), first = block * BITS;
                const uint32* marked = x ? own : columns + block * size;
                bool plain = true;
                for (int64 i = 0; x && i < some; i++) {
                    const int64 row = first + i * BITS;
                    plain &= mark_columns(x + row * features, features, least(BITS, rows - row), from, end, own + i * size);
                }
                for (int64 k = from; k < end; k++) {
                    int32* last = list;
                    for (int64 i = 0; i < some; i++) last = list_bits(marked[i * size + k], i * BITS, 1, last);
                    const int64 count = last - list;
                    if (plain) {
                        add_rows<false>(list, nullptr, count, up + first * units, units, bar + k * units);
                    } else {
                        for (int64 q = 0; q < count; q++) weights[q] = x[(first + list[q]) * features + k];
                        add_rows<true>(list, weights, count, up + first * units, units, bar + k * units);
                    }
                }
            }
        }
        delete[] list;
        delete[] weights;
        delete[] own;
    }
}
