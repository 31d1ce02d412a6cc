// Looking up a tile of lanes. Coefficients of few pieces are chosen by permutations of two registers; of more, or on a processor without
// such permutations, a lane takes a row of them, a function beside the other.
namespace birc {

#if defined(__AVX512F__)
#define REGISTER 64
#elif defined(__AVX__)
#define REGISTER 32
#else
#define REGISTER 16
#endif

template <class T, int N> struct Vector {
    typedef T type __attribute__((vector_size(N * sizeof(T)), aligned(sizeof(T)), may_alias));
};

// a * b + c, rounded once: the compiler does not make one instruction of what is written lane by lane.
template <class T, int N> struct Fused {
    typedef typename Vector<T, N>::type V;
    static V of(V a, V b, V c) {
        for (int lane = 0; lane < N; lane++) c[lane] = fma(a[lane], b[lane], c[lane]);
        return c;
    }
};
#if defined(__FMA__) && !defined(__clang__)
#define FUSED(T, N, CALL) \
    template <> struct Fused<T, N> { \
        typedef Vector<T, N>::type V; \
        static V of(V a, V b, V c) { return (V)CALL; } \
    };
FUSED(float, 4, __builtin_ia32_vfmaddps(a, b, c))
FUSED(double, 2, __builtin_ia32_vfmaddpd(a, b, c))
#if REGISTER >= 32
FUSED(float, 8, __builtin_ia32_vfmaddps256(a, b, c))
FUSED(double, 4, __builtin_ia32_vfmaddpd256(a, b, c))
#endif
#if REGISTER == 64
#define PERMUTES
FUSED(float, 16, __builtin_ia32_vfmaddps512_mask(a, b, c, (unsigned short)-1, 4))
FUSED(double, 8, __builtin_ia32_vfmaddpd512_mask(a, b, c, (unsigned char)-1, 4))
#endif
#endif

struct TableField {  // coefficients of polynomials, in the type of a real
    double low, width;
    int64 pieces, degree;
    const void* from;  // [functions][degree + 1][pieces]
    const void* rows;  // [pieces][degree + 1][functions, filled up to a power of two]
};

// The least power of two that holds n, and fills a register of 16 bytes.
constexpr int padded(int n, int least) { return n <= least ? least : 2 * padded((n + 1) / 2, least); }

template <class T, int COLUMNS> struct Lookup {
    typedef typename Real<T>::integer integer;
    static constexpr int MOST_DEGREE = 8, WIDTH = REGISTER / sizeof(T), ROW = padded(COLUMNS, 16 / sizeof(T)), PART = ROW < WIDTH ? ROW : WIDTH;
    static constexpr int BLOCK = 16;
    typedef typename Vector<T, WIDTH>::type Wide;
    typedef typename Vector<integer, WIDTH>::type Places;

    typedef typename Vector<T, PART>::type Part;

    Table<T> table;
    const T* rows;  // [pieces][degree + 1][ROW]

    template <int LANES> void find(T* const* to, const T* x) const {
        alignas(64) integer piece[LANES];
        alignas(64) T u[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            const integer k = table.piece(x[lane]);
            piece[lane] = k;
            u[lane] = table.distance(x[lane], k);
        }
        switch (table.degree) {
            case 2: return with_degree<LANES, 2>(to, piece, u);
            case 3: return with_degree<LANES, 3>(to, piece, u);
            case 4: return with_degree<LANES, 4>(to, piece, u);
            case 5: return with_degree<LANES, 5>(to, piece, u);
            case 6: return with_degree<LANES, 6>(to, piece, u);
            case 7: return with_degree<LANES, 7>(to, piece, u);
            default: return with_degree<LANES, MOST_DEGREE>(to, piece, u);
        }
    }

    template <int LANES, int DEGREE> void with_degree(T* const* to, const integer* piece, const T* u) const {
#ifdef PERMUTES
        if (table.pieces == 2 * WIDTH) return by_permutation<LANES, DEGREE>(to, piece, u);
#endif
        by_row<LANES, DEGREE>(to, piece, u);
    }

#ifdef PERMUTES
    template <int LANES, int DEGREE> void by_permutation(T* const* to, const integer* piece, const T* u) const {
        for (int column = 0; column < COLUMNS; column++) {
            Wide low[DEGREE + 1], high[DEGREE + 1];
            for (int power = 0; power <= DEGREE; power++) {
                const T* from = table.from + (column * (DEGREE + 1) + power) * 2 * WIDTH;
                __builtin_memcpy(&low[power], from, sizeof(Wide));
                __builtin_memcpy(&high[power], from + WIDTH, sizeof(Wide));
            }
            for (int lane = 0; lane < LANES; lane += WIDTH) {
                const Places k = *(const Places*)(piece + lane);
                const Wide d = *(const Wide*)(u + lane);
                Wide sum = __builtin_shuffle(low[DEGREE], high[DEGREE], k);
                for (int power = DEGREE - 1; power >= 0; power--) sum = Fused<T, WIDTH>::of(sum, d, __builtin_shuffle(low[power], high[power], k));
                *(Wide*)&to[column][lane] = sum;
            }
        }
    }
#endif

    template <int LANES, int DEGREE> void by_row(T* const* to, const integer* piece, const T* u) const {
        for (int first = 0; first < LANES; first += BLOCK) {
            alignas(64) T found[BLOCK][ROW];
            for (int i = 0; i < BLOCK; i++) {
                const T* row = rows + piece[first + i] * ((DEGREE + 1) * ROW);
                const Part d = u[first + i] - Part{};
                for (int column = 0; column < ROW; column += PART) {
                    Part sum = *(const Part*)(row + DEGREE * ROW + column);
                    for (int power = DEGREE - 1; power >= 0; power--) sum = Fused<T, PART>::of(sum, d, *(const Part*)(row + power * ROW + column));
                    *(Part*)&found[i][column] = sum;
                }
            }
            for (int column = 0; column < COLUMNS; column++)
                for (int i = 0; i < BLOCK; i++) to[column][first + i] = found[i][column];
        }
    }
};

template <class T, int COLUMNS> Lookup<T, COLUMNS> lookup(const TableField& given) { return {Table<T>(given), (const T*)given.rows}; }

}  // namespace birc
