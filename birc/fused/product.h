// Products with rows that are mostly zeros, y = x w + b and dL/dw = x^T dL/dy: only what is not 0 in x takes part.
//
// Which values are not 0 is told by bits: of x [rows, features] bit k % 32 of word k / 32 of each row, [rows, ceil(features / 32)]. They
// are all of an x of 0 and 1. Sums go through features, and through rows, in ascending order; where many values of an x of 0 and 1 are 1,
// those of a few neighbours are added first, once for each choice among them.

namespace product {

enum { BITS = 32, WIDE = 16, MORE = 4 };
enum { SOURCES = 128, TARGETS = 256, PIECE = 128 };  // at once, at most: rows, sums, and numbers of a row

template <int LENGTH> struct Vector {  // as an argument of a template a vector would lose its attributes
    typedef float type __attribute__((vector_size(sizeof(float) * LENGTH), aligned(sizeof(float)), may_alias));
};

INLINE int64 least(int64 a, int64 b) { return a < b ? a : b; }
INLINE int64 words(int64 features) { return (features + BITS - 1) / BITS; }

// The bits of a row; true where it holds nothing but 0 and 1.
INLINE bool mark(const float* x, int64 features, uint32* to) {
    uint32 other = 0;
    for (int64 k = 0; k < features; k++) other |= uint32(x[k] != 0) & uint32(x[k] != 1);
    for (int64 k = 0; k < features; k += BITS) {
        uint32 word = 0;
        if (features - k >= BITS)
            for (int j = 0; j < BITS; j++) word |= uint32(x[k + j] != 0) << j;
        else
            for (int j = 0; j < features - k; j++) word |= uint32(x[k + j] != 0) << j;
        to[k / BITS] = word;
    }
    return !other;
}

// Bit j of word i becomes bit i of word j (Warren 2012, Hacker's Delight, section 7-3).
INLINE void transpose(uint32* word) {
    uint32 mask = 0xffff;
    for (int half = BITS / 2; half; half /= 2, mask ^= mask << half)
        for (int begin = 0; begin < BITS; begin += 2 * half)
            for (int i = begin; i < begin + half; i++) {
                const uint32 differ = ((word[i] >> half) ^ word[i + half]) & mask;
                word[i] ^= differ << half;
                word[i + half] ^= differ;
            }
}

// Writes first + bit for each bit that is set, and up to 4 numbers of no meaning behind them, so that few loops branch.
INLINE uint8* list_bits(uint32 word, int first, uint8* to) {
    const int count = __builtin_popcount(word);
    int done = 0;
    do {
        for (int i = 0; i < MORE; i++) {
            to[done + i] = (uint8)(first + __builtin_ctzll(word | 1ull << BITS));
            word &= word - 1;
        }
    } while ((done += MORE) < count);
    return to + count;
}

// Adds rows of `from`, those listed, times weights where there are any, to a vector that stays in registers.
template <int LENGTH, int COUNT, bool WEIGHED>
INLINE void add_vectors(const uint8* list, const float* weights, int64 count, const float* from, int64 stride, float* to) {
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

// Which rows go into which sums: bit s % 32 of word s / 32 of each target's `across` words for source s, and with what weights.
struct Bits {
    const uint32* at;
    int64 across;
    const float* x;  // null where all weights are 1
    int64 of_target, of_source;
};

// Sources of some targets, one list behind the other.
struct Lists {
    uint8 at[TARGETS * (SOURCES + MORE)];
    float weights[TARGETS * SOURCES];
    int begin[TARGETS + 1];
    alignas(64) float rows[SOURCES * PIECE];

    INLINE void fill(const Bits& bits, int64 target, int64 targets, int64 source, int64 sources) {
        uint8* end = at;
        begin[0] = 0;
        for (int64 t = 0; t < targets; t++) {
            for (int64 s = 0; s < sources; s += BITS)
                end = list_bits(bits.at[(target + t) * bits.across + (source + s) / BITS], (int)s, end);
            begin[t + 1] = (int)(end - at);
            for (int q = begin[t]; bits.x && q < begin[t + 1]; q++)
                weights[q] = bits.x[(target + t) * bits.of_target + (source + at[q]) * bits.of_source];
        }
    }

    // Pieces of rows, first brought together, as rows a power of two apart would share few places of the cache.
    template <int LENGTH, int COUNT, bool WEIGHED>
    INLINE int64 add(int64 n, int64 targets, int64 sources, const float* from, int64 units, float* to) {
        enum { STRIDE = LENGTH * COUNT };
        for (; n + STRIDE <= units; n += STRIDE) {
            for (int64 s = 0; s < sources; s++)
                for (int i = 0; i < STRIDE; i++) rows[s * STRIDE + i] = from[s * units + n + i];
            for (int64 t = 0; t < targets; t++)
                add_vectors<LENGTH, COUNT, WEIGHED>(at + begin[t], weights + begin[t], begin[t + 1] - begin[t], rows, STRIDE, to + t * units + n);
        }
        return n;
    }

    template <bool WEIGHED> void add_all(int64 targets, int64 sources, const float* from, int64 units, float* to) {
        int64 n = add<WIDE, PIECE / WIDE, WEIGHED>(0, targets, sources, from, units, to);
        n = add<WIDE, 1, WEIGHED>(n, targets, sources, from, units, to);
        n = add<8, 1, WEIGHED>(n, targets, sources, from, units, to);
        n = add<4, 1, WEIGHED>(n, targets, sources, from, units, to);
        n = add<2, 1, WEIGHED>(n, targets, sources, from, units, to);
        add<1, 1, WEIGHED>(n, targets, sources, from, units, to);
    }
};

// The sums of every choice among a few of 32 sources, so that a target adds one of them for each group rather than each source that it has
// (Arlazarov, Dinic, Kronrod and Faradzhev, 1970, Dokl. Akad. Nauk SSSR 194:487). A table of all groups stays in the first cache.
struct Choices {
    enum { GROUPS = 6, ROWS = 2 * 64 + 4 * 32, MOST = 1024, SPAN = 32 };
    alignas(64) float rows[ROWS * SPAN];
    alignas(64) float sums[MOST * SPAN];

    static constexpr int wide(int group) { return group < 2 ? 6 : 5; }
    static constexpr int first(int group) { return group < 2 ? 6 * group : 12 + 5 * (group - 2); }
    static constexpr int begin(int group) { return group < 2 ? 64 * group : 128 + 32 * (group - 2); }

    // The tables of some sources, at most 32; nobody asks for the others.
    template <int LENGTH, int COUNT> INLINE void fill(const float* from, int64 units, int64 sources) {
        enum { SIZE = LENGTH * COUNT };
        typedef typename Vector<LENGTH>::type Lanes;
        for (int group = 0; group < GROUPS; group++)
            for (int j = 0; j < SIZE; j += LENGTH) {
                float* const table = rows + begin(group) * SIZE + j;
                *(Lanes*)table = Lanes{};
                for (int bit = 0; bit < wide(group) && first(group) + bit < sources; bit++) {
                    const Lanes row = *(const Lanes*)(from + (first(group) + bit) * units + j);
                    for (int choice = 0; choice < 1 << bit; choice++)
                        *(Lanes*)(table + ((1 << bit) + choice) * SIZE) = *(Lanes*)(table + choice * SIZE) + row;
                }
            }
    }

    // The sum that a word chooses in a group, whose place in bytes is cut out of the word at once.
    template <int SIZE> static INLINE const float* chosen(const float* rows, uint32 word, int group) {
        const int left = __builtin_ctz(SIZE * (int)sizeof(float)) - first(group);
        const uint32 place = (left > 0 ? word << left : word >> -left) & (uint32)(((1 << wide(group)) - 1) * SIZE * (int)sizeof(float));
        return (const float*)((const char*)(rows + begin(group) * SIZE) + place);
    }

    // Not inlined, where it would lack registers.
    template <int LENGTH, int COUNT>
    static __attribute__((noinline)) void add_targets(const float* rows, const uint32* words, int64 across, int64 targets, float* sums) {
        typedef typename Vector<LENGTH>::type Lanes;
        for (int64 t = 0; t < targets; t++, words += across, sums += LENGTH * COUNT) {
            Lanes sum[COUNT];
#pragma GCC unroll 16
            for (int j = 0; j < COUNT; j++) sum[j] = *(const Lanes*)(sums + j * LENGTH);
#pragma GCC unroll 16
            for (int group = 0; group < GROUPS; group++) {
                const float* row = chosen<LENGTH * COUNT>(rows, *words, group);
#pragma GCC unroll 16
                for (int j = 0; j < COUNT; j++) sum[j] += *(const Lanes*)(row + j * LENGTH);
            }
#pragma GCC unroll 16
            for (int j = 0; j < COUNT; j++) *(Lanes*)(sums + j * LENGTH) = sum[j];
        }
    }

    // Numbers n and up of all rows. Sums of some targets lie together until they are done.
    template <int LENGTH, int COUNT> INLINE int64 add(int64 n, const Bits& bits, int64 targets, int64 sources, const float* from, int64 units, float* to) {
        enum { SIZE = LENGTH * COUNT };
        for (; n + SIZE <= units; n += SIZE) {
            for (int64 t = 0; t < targets; t++)
                for (int i = 0; i < SIZE; i++) sums[t * SIZE + i] = to[t * units + n + i];
            for (int64 s = 0; s < sources; s += BITS) {
                fill<LENGTH, COUNT>(from + s * units + n, units, least(BITS, sources - s));
                add_targets<LENGTH, COUNT>(rows, bits.at + s / BITS, bits.across, targets, sums);
            }
            for (int64 t = 0; t < targets; t++)
                for (int i = 0; i < SIZE; i++) to[t * units + n + i] = sums[t * SIZE + i];
        }
        return n;
    }

    void add_all(const Bits& bits, int64 targets, int64 sources, const float* from, int64 units, float* to) {
        int64 n = add<WIDE, SPAN / WIDE>(0, bits, targets, sources, from, units, to);
        n = add<WIDE, 1>(n, bits, targets, sources, from, units, to);
        n = add<8, 1>(n, bits, targets, sources, from, units, to);
        n = add<4, 1>(n, bits, targets, sources, from, units, to);
        n = add<2, 1>(n, bits, targets, sources, from, units, to);
        add<1, 1>(n, bits, targets, sources, from, units, to);
    }
};

union Room {
    Lists lists;
    Choices choices;
};

// Whether so many values are not 0 that choices take less time than lists, for all targets alike, whatever part of them a thread has.
INLINE bool is_many(const uint32* bits, int64 rows, int64 features) {
    int64 some = 0;
    for (int64 i = 0; i < rows * words(features); i++) some += __builtin_popcount(bits[i]);
    return some * 7 > rows * features;
}

// Adds to each target's row of `to` the rows of `from` that are its sources'.
INLINE void gather(const Bits& bits, int64 targets, int64 sources, const float* from, int64 units, float* to, bool many, Room& room) {
    if (many && !bits.x) {
        for (int64 t = 0; t < targets; t += Choices::MOST)
            room.choices.add_all({bits.at + t * bits.across, bits.across, nullptr, 0, 0}, least(Choices::MOST, targets - t), sources, from, units, to + t * units);
        return;
    }
    Lists& lists = room.lists;
    const int64 most = many ? SOURCES / 2 : SOURCES;  // pieces of theirs stay in the first cache, but sums are read and written again for each lot
    for (int64 t = 0; t < targets; t += TARGETS)
        for (int64 s = 0; s < sources; s += most) {
            const int64 count = least(TARGETS, targets - t), some = least(most, sources - s);
            lists.fill(bits, t, count, s, some);
            if (bits.x) lists.add_all<true>(count, some, from + s * units, units, to + t * units);
            else lists.add_all<false>(count, some, from + s * units, units, to + t * units);
        }
}

}  // namespace product

#define API extern "C" __attribute__((visibility("default")))

// How many values of some rows, evenly spread, are not 0, and how many are neither 0 nor 1.
API void birc_product_count(const float* x, int64 rows, int64 features, int64 spacing, int64* found) {
    found[0] = found[1] = 0;
    for (int64 row = 0; row < rows; row += spacing) {
        int32 some = 0, others = 0;
        for (int64 k = 0; k < features; k++) {
            some += x[row * features + k] != 0;
            others += (x[row * features + k] != 0) & (x[row * features + k] != 1);
        }
        found[0] += some;
        found[1] += others;
    }
}

// The bits of x. The result says whether x holds nothing but 0 and 1.
API int birc_product_bits(int64 rows, int64 features, int64 threads, const float* x, uint32* bits) {
    int plain = 1;
#pragma omp parallel for schedule(static) num_threads((int)threads) if (threads > 1) reduction(& : plain)
    for (int64 row = 0; row < rows; row++) plain &= product::mark(x + row * features, features, bits + row * product::words(features));
    return plain;
}

// y = x w + b; b null is 0, and x null where its bits are all of it. Threads share the rows, so their number changes no result.
API void birc_product(
    int64 rows, int64 features, int64 units, int64 threads, const uint32* bits, const float* x, const float* w, const float* b, float* y
) {
    using namespace product;
    const int64 most = least(Choices::MOST, (rows + threads - 1) / threads), parts = most ? (rows + most - 1) / most : 0, across = words(features);
    const bool many = is_many(bits, rows, features);
#pragma omp parallel num_threads((int)threads) if (threads > 1)
    {
        Room* room = new Room;
#pragma omp for schedule(static)
        for (int64 part = 0; part < parts; part++) {
            const int64 first = part * most, count = least(most, rows - first);
            float* to = y + first * units;
            for (int64 row = 0; row < count; row++)
                for (int64 n = 0; n < units; n++) to[row * units + n] = b ? b[n] : 0;
            gather({bits + first * across, across, x ? x + first * features : nullptr, features, 1}, count, features, w, units, to, many, *room);
        }
        delete room;
    }
}

// dL/dw from dL/dy, x null where its bits are all of it. Threads share the features, so their number changes no result.
API void birc_product_back(
    int64 rows, int64 features, int64 units, int64 threads, const uint32* bits, const float* x, const float* up, float* bar
) {
    using namespace product;
    const int64 across = words(features), down = words(rows);
    const bool many = is_many(bits, rows, features);
#pragma omp parallel num_threads((int)threads) if (threads > 1)
    {
        Room* room = new Room;
#pragma omp for schedule(static)
        for (int64 thread = 0; thread < threads; thread++) {
            const int64 first = across * thread / threads, end = across * (thread + 1) / threads, from = first * BITS;
            const int64 count = least(features, end * BITS) - from;
            uint32* turned = new uint32[(end - first) * BITS * down];
            for (int64 row = 0; row < rows; row += BITS)
                for (int64 k = first; k < end; k++) {
                    uint32 square[BITS] = {};
                    for (int64 j = 0; j < least(BITS, rows - row); j++) square[j] = bits[(row + j) * across + k];
                    transpose(square);
                    for (int64 j = 0; j < BITS; j++) turned[((k - first) * BITS + j) * down + row / BITS] = square[j];
                }
            for (int64 i = from * units; i < (from + count) * units; i++) bar[i] = 0;
            gather({turned, down, x ? x + from : nullptr, 1, features}, count, rows, up, units, bar + from * units, many, *room);
            delete[] turned;
        }
        delete room;
    }
}
