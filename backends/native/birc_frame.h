// Lanes, and the job as the runner hands it over, which groups events by tiles.
#ifndef TILE
#define TILE 256
#endif

namespace birc {

// One value of each of some neurons that advance together.
template <class T, int LANES> struct Lanes {
    alignas(64) T at[LANES];
    T& operator[](int lane) { return at[lane]; }
    const T& operator[](int lane) const { return at[lane]; }

    void fill(T value) {
        for (int lane = 0; lane < LANES; lane++) at[lane] = value;
    }

    // Lanes beyond the last neuron repeat the first: they do harmless work.
    template <class S> void load(const S* __restrict from, int count) {
        for (int lane = 0; lane < count; lane++) at[lane] = T(from[lane]);
        for (int lane = count; lane < LANES; lane++) at[lane] = at[0];
    }

    template <class S> void save(S* __restrict to, int count) const {
        for (int lane = 0; lane < count; lane++) to[lane] = S(at[lane]);
    }
};

// A bind value: one for all neurons, or one for each.
template <class T, int LANES, bool each> struct Bound;

template <class T, int LANES> struct Bound<T, LANES, false> {
    T value;
    void load(const double* from, int64, int) { value = T(*from); }
    T operator[](int) const { return value; }
};

template <class T, int LANES> struct Bound<T, LANES, true> : Lanes<T, LANES> {
    void load(const double* from, int64 base, int count) { Lanes<T, LANES>::load(from + base, count); }
};

// The sum of a port's events where none come: it changes nothing that it is added to.
template <class T> struct None {
    operator T() const { return T(0); }
    friend T operator+(T x, None) { return x; }
    friend T operator-(T x, None) { return x; }
};

template <class T, int LANES, bool still> struct Payload : Lanes<T, LANES> {};

template <class T, int LANES> struct Payload<T, LANES, true> {
    None<T> operator[](int) const { return {}; }
};

struct Input {
    const double* from;
    int64 row, column;  // strides: 0 where one value serves all steps, or all neurons
};

struct Arrivals {  // of one event port, grouped by tile; within a tile in the order in which they act
    const int64* begin;
    const int32* step;
    const int32* lane;
    const double* payload;
};

struct TableField;

struct Job {
    int64 n, origin, start, steps, every;
    uint64 seed;
    const double* const* bind;
    void* const* state;
    const Input* inputs;
    const Arrivals* events;
    void* const* record;
    const uint32* streams;
    uint64* fired;  // [steps][words]: a bit for each neuron
    int64 words;
    int64 threads;
    const TableField* tables;
};

template <class T, int LANES> void sample(Lanes<T, LANES>& to, const Input& input, int64 step, int64 base, int count) {
    if (input.row == 0 && step > 0) return;
    const double* row = input.from + step * input.row;
    if (input.column) to.load(row + base, count);
    else to.fill(T(*row));
}

// Whether nothing that comes to a tile changes from one step to the next, and rows of the record are rare.
inline bool still(const Job& job, int64 tile, int inputs, int ports) {
    bool same = job.every >= 16;
    for (int port = 0; port < ports; port++) same &= job.events[port].begin[tile] == job.events[port].begin[tile + 1];
    for (int input = 0; input < inputs; input++) same &= job.inputs[input].row == 0;
    return same;
}

// The rows of the record: which is next, and after how many steps of the job.
struct Rows {
    const int64 every;
    int64 due, at;
    explicit Rows(const Job& job) : every(job.every), due(job.every - job.start % job.every), at(job.start / job.every - job.origin / job.every) {}
    void next() { due += every, at++; }
};

template <class S, class T, int LANES> void keep(void* record, int64 row, const Job& job, int64 base, const Lanes<T, LANES>& from, int count) {
    if (record) from.save((S*)record + row * job.n + base, count);
}

// A loop of its own: noted in the loop that makes the flags, it keeps that from becoming vector code.
template <class T, int LANES> bool any(const Lanes<T, LANES>& flags) {
    T found = 0;
    for (int lane = 0; lane < LANES; lane++) found |= flags[lane];
    return found;
}

// Flags (0 or 1) to bits, 64 lanes to a word; lanes past the last neuron have none. The product gathers the flags of eight bytes in its
// highest byte.
template <class T, int LANES> void pack(uint64* word, const Lanes<T, LANES>& fired, int count) {
    uint8 flags[LANES];
    fired.save(flags, LANES);
    for (int first = 0; first < count; first += 64) {
        uint64 bits = 0;
        for (int part = 0; part < 8; part++) {
            uint64 eight;
            __builtin_memcpy(&eight, flags + first + 8 * part, 8);
            bits |= (eight * 0x0102040810204080) >> 56 << (8 * part);
        }
        const int rest = count - first;
        word[first / 64] = rest < 64 ? bits & (((uint64)1 << rest) - 1) : bits;
    }
}

}  // namespace birc

extern "C" __attribute__((visibility("default"))) const int32 birc_lanes = TILE;

// Each thread counts and lists the spikes of some of the steps; `counts` has a place for each thread.
extern "C" __attribute__((visibility("default"))) void birc_count(const uint64* fired, int64 steps, int64 words, int64* counts, int64 threads) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (int64 part = 0; part < threads; part++) {
        const int64 first = steps * part / threads, stop = steps * (part + 1) / threads;
        counts[part] = birc::count_spikes(fired + first * words, (stop - first) * words);
    }
}

// Lowers the flags that it lists.
extern "C" __attribute__((visibility("default"))) void birc_list(uint64* fired, int64 steps, int64 words, int64 start, const int64* counts,
                                                                 int32* index, int64* stamp, int64 threads) {
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (int64 part = 0; part < threads; part++) {
        const int64 first = steps * part / threads, stop = steps * (part + 1) / threads;
        int64 at = 0;
        for (int64 before = 0; before < part; before++) at += counts[before];
        birc::list_spikes(fired + first * words, stop - first, words, start + first, index + at, stamp + at);
        __builtin_memset(fired + first * words, 0, (stop - first) * words * sizeof(uint64));
    }
}
