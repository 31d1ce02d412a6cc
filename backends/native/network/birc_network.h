// Networks: what the runner hands over, spikes as lists, synapses as rows. `real` and `count` are declared in front of this text.
#ifdef __clang__
#define VECTOR _Pragma("clang loop vectorize(assume_safety)")  // lanes do not touch one another
#else
#define VECTOR _Pragma("GCC ivdep")
#endif

extern "C" int usleep(unsigned);
extern "C" int sched_yield();
#ifdef _OPENMP
extern "C" int omp_get_thread_num();
extern "C" int omp_get_num_threads();
#endif

#define NOINLINE __attribute__((noinline))  // what is long, once in the text of the processor

namespace birc {

typedef unsigned short uint16;

constexpr int LANES = TILE;
constexpr uint64 PIECE = 4096;  // steps in the finer part of a decay's table
constexpr int64 LINE = 64;     // bytes of a cache line: what threads write lies so far apart

// A division takes as long as some neurons, and few rows are most often 1 or 2.
inline int64 remainder(int64 stamp, int64 rows) { return rows & (rows - 1) ? stamp % rows : stamp & (rows - 1); }

template <class T> struct Lanes {
    alignas(64) T at[LANES];
    T& operator[](int64 lane) { return at[lane]; }
    const T& operator[](int64 lane) const { return at[lane]; }
    void fill(T value) {
        for (int lane = 0; lane < LANES; lane++) at[lane] = value;
    }
};

// --- places: where the value of a lane stands in an array

struct Next {  // one behind another
    int64 first;
    int64 operator()(int64 lane) const { return first + lane; }
};

template <class I> struct Listed {
    const I* at;
    int64 operator()(int64 lane) const { return at[lane]; }
};

struct Strided {  // each as far behind the one before
    int64 first, by;
    int64 operator()(int64 lane) const { return first + lane * by; }
};

struct Single {  // the same for all lanes
    int64 at;
    int64 operator()(int64) const { return at; }
};

template <class T, class Place> struct At {
    T* from;
    Place place;
    T& operator[](int64 lane) const { return from[place(lane)]; }
};

template <class T> struct Same {
    T value;
    T operator[](int64) const { return value; }
};

// A bind value: one for all, or one for each.
template <class T, bool each, class Place> struct Bound;

template <class T, class Place> struct Bound<T, false, Place> : Same<T> {
    Bound(const void* from, Place) : Same<T>{*(const T*)from} {}
};

template <class T, class Place> struct Bound<T, true, Place> : At<const T, Place> {
    Bound(const void* from, Place place) : At<const T, Place>{(const T*)from, place} {}
};

// --- what the runner hands over; every member takes eight bytes

struct Gate {  // where threads wait for one another, many thousand times in a second
    alignas(LINE) int64 arrived = 0;
    alignas(LINE) int64 round = 0;
};

struct Projection;

struct Moment {  // of one thread
    int64 stamp;  // k + 1
    int64 step;   // of this call
    int64 row;    // of the values that are given for each step
    int64 thread, threads;
    uint64 seed;
    Gate* gate;
    Single when() const { return {stamp}; }  // the same for all lanes
    const real* const* given(const Projection& p, int64 role) const;
};

struct Group {  // the spikes of a population or a source: those of stamp s are the first count[s % rows] of row s % rows
    int64 n, rows;
    int32* index;   // [rows][n], ascending
    int32* many;    // [rows][n]: how often each came; null for a population
    int64* count;   // [rows]
    int64* found;   // by each thread, in this step, a cache line apart; whom, stands in the row from where the thread's part begins
    int32* spikes;  // [room]: what the caller gets; null where nobody asks for it
    int32* times;   // [room]; null for a population
    int64* counts;  // [steps]
    int64 room, used;
    int64 before, work, total;  // of a stage: what groups ahead of it take, what it takes, what all take
    int64 fired;                // members, in all steps so far

    int64 row(int64 stamp) const { return remainder(stamp, rows); }
    int32* index_at(int64 stamp) const { return index + row(stamp) * n; }
    int32* many_at(int64 stamp) const { return many ? many + row(stamp) * n : nullptr; }

    // Where a thread's part begins. Threads share the work of a stage, so that most groups are one thread's and few stretches are cut.
    int64 cut(int64 unit, int64 thread, int64 threads) const {
        const int64 units = (n + unit - 1) / unit;
        if (thread == 0 || thread == threads) return thread ? unit * units : 0;
        const int64 at = total * thread / threads - before;
        return unit * (at <= 0 ? 0 : at >= work ? units : units * at / work);
    }
};

struct Source {
    Group* group;
    const double* table;  // cumulative probabilities of a count, or null
    int64 entries;
    double apart;  // cells for an event where they are rare, or 0; events are listed where there is no table either
    int64 pairs;    // of gaps between rare events that are drawn for SOON steps at once
    double* ahead;  // [fields][2 pairs][SOON]: those gaps, in cells
    int64* drawn;   // [fields]: the first of the steps for which they are
    int64 stream;
    const uint32* least;  // [FEW]: the upper words of the least draws above the first probabilities, the largest word where there are no more
    const int64* stamp;
    const int32* index;
    const int32* many;
    int64 events, next;
};

struct Edges {  // those of source i with delay[j] are starts[i * delays + j] to starts[i * delays + j + 1]
    int64 sources, delays;
    const int64* delay;
    const int64* starts;
    const int32* target;
    int64 dense;   // whether targets follow one another in every stretch
    int64 single;  // whether each source has one synapse, and all the same delay
    int64 apart;   // whether it is known that no stretch reaches a target twice
};

struct Row {  // of a source's edges, in little memory: where each stretch begins behind `first`, and where the last one ends
    int64 first;
    uint16 starts[1];
};

struct Stretch {  // of edges that an event reaches, up to those already delivered
    int64 at, end, many;
};

constexpr int64 MOST = 256;  // stretches that can be delivered block by block

struct Inbox {       // what a thread knows of what a projection brings in this step
    int64 touched;   // whether anything came to the neurons at hand
    int64 direct;    // whether it is in `sums`, else in `block`
    int64 waits;     // whether it is to come behind the neurons' step
    int64 first;     // the first neuron of the block at hand
    int64 count;
    Stretch active[MOST];
};

struct Driven;
struct Queue;

struct Projection {
    Edges edges;
    const Group* source;
    int64 first_source, first_target;
    const char* table;  // of rows, `step` bytes each; null where `edges.starts` says it
    int64 step;
    int64 late;  // whether spikes that need no time come behind the target's step
    const real* weights;                      // null where all are `weight`
    double weight;
    real* sums;  // [rows][pitch]: what arrives at stamp t is row t % rows
    int64 rows, pitch;
    Inbox* inbox;  // of each thread
    real* block;   // [threads][span]: what comes to the neurons of a block, which stays in the first cache
    int64 span;    // 0 where stretches are too short for that
    real* level;   // of a signal that it raises
    void* const* slots;
    const void* const* const* bind;   // by role
    const real* const* const* given;  // inputs, by role
    int64* last;
    const real* const* fine;
    const real* const* coarse;
    const int64* most;  // the last place of each coarse table
    const int32* dend;  // null where all are `wait`
    int64 wait;
    const uint32* streams;
    Edges back;
    const int32* synapse;  // of each edge of `back`: its place by source
    const int64* far;      // the same, where there are 2^31 or more
    const int32* place;    // where the synapse of each edge lies by target; null where states lie by source, or `turned` tells
    const Group* target;   // null at a signal
    int64 full;            // whether every source has one synapse with every target, so that their places need no index
    int64 turned;          // where such synapses lie by target: from one target's to the next one's; else 0
    const Driven* driven;  // where spikes of targets act when the source's next event comes; else null
    Queue* queue;          // where what it sends with a delay acts event by event; else null

    real* arriving(int64 stamp) const { return sums + remainder(stamp, rows) * pitch; }
};

inline const real* const* Moment::given(const Projection& p, int64 role) const { return p.given[role]; }

struct Coupling {  // sums[j] of weight * x[i], or of weight * (x[i] - y[j])
    Edges edges;
    const real* weights;
    double weight;
    const real* x;
    const double* values;  // of a source of values, in place of x
    int64 row, column;
    const real* y;  // null where there is no gap
    real* sums;
    int64 first_target;
    const Group* target;
};

struct Port {
    int64 count;
    const Projection* const* from;
};

struct Feed {
    const double* values;  // null where nobody feeds the input
    int64 row, column, last;
    int64 count;
    const Coupling* const* from;
};

struct TableField;

struct Population {
    Group* group;
    int64 tiles, block;  // tiles to which is delivered at a time
    const void* const* bind;
    void* const* slots;
    const Feed* inputs;
    const Port* ports;
    void* const* outputs;
    void* const* kept;
    const uint32* streams;
    const TableField* tables;
};

struct Trace {
    real* values;
    int64 n;  // whole tiles
    double decay;
    int64 nearest;
    const Edges* edges;
    const Group* of;
    int64 first;
};

struct Signal {
    real* level;
    double decay;
};

struct Copy {  // of what handlers read as it was at k
    const real* from;
    real* to;
    int64 n;
};

struct Record {
    const void* from;
    void* to;    // [rows][n]
    int64 kind;  // 0: real, 1: count, kept as int32, 2: bool
    int64 n, every, origin;
};

struct Network {
    int64 start, first, steps, threads;  // `first` steps of the job came before these
    uint64 seed;
    const Population* populations;
    const Projection* projections;
    const int64* order;   // populations
    const int64* stages;  // where in `order` each stage begins: its populations do not wait for one another
    int64 stage_count;
    Source* sources;
    int64 source_count;
    Coupling* couplings;
    int64 coupling_count;
    const Trace* traces;
    int64 trace_count;
    const Signal* signals;
    int64 signal_count;
    const Copy* copies;
    int64 copy_count;
    const Record* records;
    int64 record_count;
    int64 prepares, finishes;  // whether there is anything to wait for before the populations, and behind them
    int64 stop;                // raised where the next step's spikes may find no room
};

constexpr int PATIENCE = 1000;  // looks at the gate before a thread lets others run, and as many before it sleeps, as where these need long

inline void wait(const Moment& now) {
    if (now.threads == 1) return;
    Gate& gate = *now.gate;
    const int64 round = __atomic_load_n(&gate.round, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&gate.arrived, 1, __ATOMIC_ACQ_REL) == now.threads) {
        __atomic_store_n(&gate.arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&gate.round, round + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int looks = 0; __atomic_load_n(&gate.round, __ATOMIC_ACQUIRE) == round; looks++) {
        if (looks > 2 * PATIENCE) usleep(50);
        else if (looks > PATIENCE) sched_yield();
#if defined(__x86_64__)
        else __builtin_ia32_pause();
#endif
    }
}

struct Range {
    int64 first, stop;
};

inline Range part(const Moment& now, int64 n) { return {n * now.thread / now.threads, n * (now.thread + 1) / now.threads}; }

// The members of a group that are this thread's: whole units.
inline Range own(const Moment& now, const Group& group, int64 unit) {
    return {group.cut(unit, now.thread, now.threads), group.cut(unit, now.thread + 1, now.threads)};
}

constexpr Range ALL{0, (int64)1 << 40};

// The targets of a projection or coupling that are this thread's.
template <class Wire> INLINE Range own_targets(const Wire& p, const Moment& now) {
    if (now.threads == 1) return ALL;
    const Range mine = own(now, *p.target, LANES);
    if (mine.first == 0 && mine.stop >= p.target->n) return ALL;
    return {mine.first - p.first_target, mine.stop - p.first_target};
}

// --- spikes

inline void found(Group& group, const Moment& now, int64 at, int64 neuron, int64 many) {
    const int64 place = at + group.found[now.thread * (LINE / 8)]++;
    group.index_at(now.stamp)[place] = (int32)neuron;
    if (group.many) group.many_at(now.stamp)[place] = (int32)many;
}

// Eight flags (0 or 1) as bits: the product gathers them in its highest byte.
inline uint64 packed(const uint8* flags) {
    uint64 eight;
    __builtin_memcpy(&eight, flags, 8);
    return (eight * 0x0102040810204080) >> 56;
}

inline void list(Group& group, const Moment& now, int64 tile, const Lanes<count>& fired) {
    alignas(64) uint8 flags[LANES];
    for (int lane = 0; lane < LANES; lane++) flags[lane] = (uint8)fired[lane];
    uint64 bits = 0;
    for (int eight = 0; eight < LANES / 8; eight++) bits |= packed(flags + 8 * eight) << 8 * eight;
    const int64 base = tile * LANES, rest = group.n - base, at = own(now, group, LANES).first;
    if (rest < LANES) bits &= ((uint64)1 << rest) - 1;
    for (; bits; bits &= bits - 1) found(group, now, at, base + __builtin_ctzll(bits), 1);
}

// One thread puts together what all have found, for those who wait for it and for the caller. Parts of the group are whole units.
inline void close(Network& net, Group& group, const Moment& now, int64 unit) {
    int32 *const index = group.index_at(now.stamp), *const many = group.many_at(now.stamp);
    int64 count = 0;
    for (int64 thread = 0; thread < now.threads; thread++) {
        int64& more = group.found[thread * (LINE / 8)];
        const int64 from = group.cut(unit, thread, now.threads);
        if (from > count) {
            __builtin_memmove(index + count, index + from, more * sizeof *index);
            if (many) __builtin_memmove(many + count, many + from, more * sizeof *many);
        }
        count += more;
        more = 0;
    }
    group.count[group.row(now.stamp)] = count;
    group.fired += count;
    if (!group.spikes) return;
    group.counts[now.step] = count;
    if (!count) return;
    __builtin_memcpy(group.spikes + group.used, index, count * sizeof *index);
    if (many) __builtin_memcpy(group.times + group.used, many, count * sizeof *many);
    group.used += count;
    if (group.room - group.used < group.n) net.stop = 1;
}

// --- sources

constexpr int BLOCK = 256;                         // instances that draw together
constexpr int64 FIELD = 1024;                      // instances that share a process of rare events
constexpr int FEW = 8;                             // probabilities with which all of a block are compared

// How often each of a block fires: the number of cumulative probabilities below a uniform draw. The upper word of a draw tells, but where it is
// that of the least draw above one of them.
struct Draws {
    const Source& source;
    const Moment& now;
    int64 base, at;

    INLINE Words words(int64 lane, uint64 part) const {  // those of four lanes
        const uint64 step = (uint64)(now.stamp - 1), high = ((step >> 32) & 0xFFFFu) << 16 | part;
        return philox(step & 0xFFFFFFFFu, high, (uint64)(base + lane) / 4, (uint64)source.stream, (uint32)now.seed, (uint32)(now.seed >> 32));
    }

    INLINE void upper(uint32 (&to)[BLOCK]) const {
        alignas(64) uint64 pairs[BLOCK / 2];
        for (int four = 0; four < BLOCK / 4; four++) {
            const Words w = words(4 * four, 0);
            pairs[2 * four] = w.w0 | w.w1 << 32;
            pairs[2 * four + 1] = w.w2 | w.w3 << 32;
        }
        __builtin_memcpy(to, pairs, sizeof to);
    }

    NOINLINE int64 count(int64 lane) const {
        const Words high = words(lane, 0), low = words(lane, 1);
        const uint64 upper[] = {high.w0, high.w1, high.w2, high.w3}, lower[] = {low.w0, low.w1, low.w2, low.w3};
        const double u = uniform_of(upper[lane % 4], lower[lane % 4]);
        int64 many = 0;
        while (many < source.entries && source.table[many] < u) many++;
        return many;
    }

    NOINLINE void all() const {
        alignas(64) uint32 draws[BLOCK];
        alignas(64) int32 counts[BLOCK];
        upper(draws);
        for (int lane = 0; lane < BLOCK; lane++) {
            int32 above = 0, open = 0;
            for (int m = 0; m < FEW; m++) {
                above += draws[lane] > source.least[m];
                open |= draws[lane] == source.least[m];
            }
            counts[lane] = open ? FEW : above;
        }
        const Group& group = *source.group;
        int32 *const index = group.index_at(now.stamp) + at, *const times = group.many_at(now.stamp) + at;
        const int64 rest = group.n - base, lanes = rest < BLOCK ? rest : BLOCK;
        int64& found = group.found[now.thread * (LINE / 8)];
        int64 place = found;
        for (int64 lane = 0; lane < lanes; lane++) {
            const int32 many = counts[lane] < FEW ? counts[lane] : (int32)count(lane);
            index[place] = (int32)(base + lane);  // one that does not fire is written over
            times[place] = many;
            place += many > 0;
        }
        found = place;
    }
};

constexpr int64 SOON = 8;  // steps whose gaps are drawn at once, as vectors

// Two gaps between the rare events of a field in a step.
INLINE void draw_gaps(const Source& source, const Moment& now, uint64 step, uint64 field, uint64 pair, double& first, double& second) {
    const uint64 high = ((step >> 32) & 0xFFFFu) << 16 | pair;
    const Words w = philox(step & 0xFFFFFFFFu, high, field, (uint64)source.stream, (uint32)now.seed, (uint32)(now.seed >> 32));
    first = -draw_log(uniform_of(w.w0, w.w1)) * source.apart;
    second = -draw_log(uniform_of(w.w2, w.w3)) * source.apart;
}

NOINLINE inline void draw_ahead(const Source& source, const Moment& now, int64 field) {
    const uint64 step = (uint64)(now.stamp - 1);
    source.drawn[field] = (int64)step;
    for (int64 pair = 0; pair < source.pairs; pair++) {
        double* const first = source.ahead + 2 * (field * source.pairs + pair) * SOON;
        VECTOR for (int64 k = 0; k < SOON; k++) draw_gaps(source, now, step + k, field, pair, first[k], first[SOON + k]);
    }
}

// Rare events of a field are a Poisson process along its cells.
NOINLINE inline void draw_rare(const Source& source, const Moment& now, int64 base, int64 at) {
    const int64 step = now.stamp - 1, field = base / FIELD, rest = source.group->n - base, cells = rest < FIELD ? rest : FIELD;
    if (step < source.drawn[field] || step >= source.drawn[field] + SOON) draw_ahead(source, now, field);
    const double* const ahead = source.ahead + 2 * field * source.pairs * SOON + (step - source.drawn[field]);
    double place = 0;
    int64 last = 0, many = 0;
    for (int64 pair = 0;; pair++) {
        double gap[2];
        if (pair < source.pairs) gap[0] = ahead[2 * pair * SOON], gap[1] = ahead[(2 * pair + 1) * SOON];
        else draw_gaps(source, now, (uint64)step, (uint64)field, (uint64)pair, gap[0], gap[1]);
        for (int j = 0; j < 2; j++) {
            place = place + gap[j];
            const int64 cell = place < (double)cells ? (int64)place : cells;
            if (cell != last && many) found(*source.group, now, at, base + last, many), many = 0;
            if (cell == cells) return;
            last = cell, many++;
        }
    }
}

inline int64 unit(const Source& source) { return source.table ? BLOCK : source.apart > 0 ? FIELD : source.group->n; }

inline void draw(Source& source, const Moment& now) {
    const Range mine = own(now, *source.group, unit(source));
    if (source.table) {
        for (int64 base = mine.first; base < mine.stop; base += BLOCK) Draws{source, now, base, mine.first}.all();
    } else if (source.apart > 0) {
        for (int64 base = mine.first; base < mine.stop; base += FIELD) draw_rare(source, now, base, mine.first);
    } else if (now.thread == 0) {
        for (; source.next < source.events && source.stamp[source.next] == now.stamp; source.next++)
            found(*source.group, now, 0, source.index[source.next], source.many[source.next]);
    }
}

// --- synapses

enum Time { EARLY, LATE };  // before the target's step, or behind all populations

constexpr int64 AHEAD = 4;  // spikes between a stretch that is fetched from memory and the one that is read

// visit(source, delay's place, many) for each spike that arrives at this stamp, older ones first; fetch(source, delay's place) some spikes
// before, and ask(source, delay's place) some spikes before that.
template <class Visit, class Ask, class Fetch>
INLINE void spikes(const Edges& edges, const Group& from, int64 first_source, int64 stamp, bool some, bool at_once, Visit visit, Ask ask, Fetch fetch) {
    const auto within = [&](int64 i) { return 0 <= i && i < edges.sources; };
    for (int64 j = edges.delays - 1; j >= 0; j--) {
        const int64 spike = stamp - edges.delay[j];
        if (spike < 0 || !(edges.delay[j] == 0 ? at_once : some)) continue;
        const int64 row = from.row(spike), count = from.count[row];
        const int32* const index = from.index + row * from.n;
        const int32* const many = from.many ? from.many + row * from.n : nullptr;
        for (int64 k = 0; k < count; k++) {
            if (k + 2 * AHEAD < count && within(index[k + 2 * AHEAD] - first_source)) ask(index[k + 2 * AHEAD] - first_source, j);
            if (k + AHEAD < count && within(index[k + AHEAD] - first_source)) fetch(index[k + AHEAD] - first_source, j);
            const int64 i = index[k] - first_source;
            if (within(i)) visit(i, j, many ? (int64)many[k] : (int64)1);
        }
    }
}

constexpr auto NEVER = [](int64, int64) {};

template <class Visit> INLINE void spikes(const Edges& edges, const Group& from, int64 first_source, int64 stamp, Visit visit) {
    spikes(edges, from, first_source, stamp, true, true, visit, NEVER, NEVER);
}

// The first edge of a stretch whose target is not below this one.
INLINE int64 from_target(const Edges& edges, int64 begin, int64 end, int64 target) {
    while (begin < end) {
        const int64 middle = (begin + end) / 2;
        if (edges.target[middle] < target) begin = middle + 1;
        else end = middle;
    }
    return begin;
}

// Asks for what stands between two places.
template <class T> INLINE void fetch(const T* from, int64 begin, int64 end) {
    constexpr int64 step = LINE / sizeof(T), most = 8 * step;  // what follows in memory, the processor fetches by itself
    if (begin == end) return;
    const int64 stop = end - begin > most ? begin + most : end;
    __builtin_prefetch(from + stop - 1);
    for (int64 e = begin; e < stop; e += step) __builtin_prefetch(from + e);
}

// visit(source, begin, end, many) for each stretch of edges that an event reaches at this stamp, as far as it is this thread's.
template <class Visit>
INLINE void arrivals(const Edges& edges, const Group& from, int64 first_source, const Moment& now, bool some, bool at_once, Range targets,
                     const real* weights, Visit visit) {
    if (targets.first >= targets.stop) return;
    const int64* const starts = edges.starts;
    const auto reach = [&](int64 i, int64 j, int64 many) {
        int64 begin = starts[i * edges.delays + j], end = starts[i * edges.delays + j + 1];
        if (targets.stop != ALL.stop) {
            begin = from_target(edges, begin, end, targets.first);
            end = from_target(edges, begin, end, targets.stop);
        }
        if (begin < end) visit(i, begin, end, many);
    };
    const auto ask = [&](int64 i, int64 j) { __builtin_prefetch(starts + i * edges.delays + j); };
    const auto fetch_row = [&](int64 i, int64 j) {
        const int64 begin = starts[i * edges.delays + j], end = starts[i * edges.delays + j + 1];
        fetch(edges.target, begin, end);
        if (weights) fetch(weights, begin, end);
    };
    spikes(edges, from, first_source, now.stamp, some, at_once, reach, ask, fetch_row);
}

template <class Visit> INLINE void arrivals(const Projection& p, const Moment& now, Time time, Visit visit) {
    arrivals(p.edges, *p.source, p.first_source, now, time == EARLY, time == (p.late ? LATE : EARLY), own_targets(p, now), p.weights, visit);
}

INLINE void touch(const Projection& p, const Moment& now, bool yes) {
    Inbox& inbox = p.inbox[now.thread];
    inbox.touched = yes;
    inbox.direct = true;
}

// Adds weights at the targets of edges, from `at` on up to the end or, unless it is whole, to the first target that is not below `stop`.
template <bool whole> INLINE void add(const Projection& p, Stretch& s, int64 stop, real* to, int64 offset) {
    const int32* const target = p.edges.target;
    const real* const weights = p.weights;
    const int64 end = s.end;
    int64 e = s.at;
    if (weights && s.many == 1) {
        for (; e < end && (whole || target[e] < stop); e++) to[target[e] + offset] += weights[e];
    } else if (weights) {
        for (; e < end && (whole || target[e] < stop); e++) to[target[e] + offset] += real(s.many) * weights[e];
    } else {
        const real weight = real(s.many) * real(p.weight);
        for (; e < end && (whole || target[e] < stop); e++) to[target[e] + offset] += weight;
    }
    s.at = e;
}

INLINE const Row& row_of(const Projection& p, int64 source) { return *(const Row*)(p.table + source * p.step); }

INLINE void ask(const Projection& p, int64 source, int64 delay) {
    if (p.table) {
        const Row& row = row_of(p, source);
        __builtin_prefetch(&row.first);
        __builtin_prefetch(&row.starts[delay + 1]);
    } else {
        __builtin_prefetch(&p.edges.starts[source * p.edges.delays + delay]);
    }
}

INLINE Range stretch_of(const Projection& p, int64 source, int64 delay) {
    if (p.table) {
        const Row& row = row_of(p, source);
        return {row.first + row.starts[delay], row.first + row.starts[delay + 1]};
    }
    const int64* const starts = p.edges.starts + source * p.edges.delays + delay;
    return {starts[0], starts[1]};
}

// From sources and delays to stretches, without those that hold nothing for this thread. Each memory that is read was asked for a while ago.
// Gives the synapses in them, other threads' included.
INLINE int64 look_up(const Projection& p, Inbox& inbox, Range targets) {
    const Edges& edges = p.edges;
    int64 count = 0, synapses = 0;
    for (int64 i = 0; i < inbox.count; i++) {
        const Stretch& place = inbox.active[i];
        const auto [begin, end] = stretch_of(p, place.at, place.end);
        if (begin == end) continue;
        fetch(edges.target, begin, end);
        if (p.weights) fetch(p.weights, begin, end);
        inbox.active[count++] = {begin, end, place.many};
        synapses += end - begin;
    }
    inbox.count = count;
    if (targets.stop == ALL.stop) return synapses;
    count = 0;
    for (int64 i = 0; i < inbox.count; i++) {
        const Stretch& s = inbox.active[i];
        const int64 begin = from_target(edges, s.at, s.end, targets.first), end = from_target(edges, begin, s.end, targets.stop);
        if (begin < end) inbox.active[count++] = {begin, end, s.many};
    }
    inbox.count = count;
    return synapses;
}

INLINE void add_all(const Projection& p, Inbox& inbox, real* to) {
    for (int64 i = 0; i < inbox.count; i++) {
        Stretch s = inbox.active[i];
        add<true>(p, s, 0, to, 0);
    }
}

INLINE void add_up(const Projection& p, Inbox& inbox, Range targets, real* to) {
    look_up(p, inbox, targets);
    add_all(p, inbox, to);
    inbox.touched |= inbox.count > 0;
    inbox.count = 0;
}

constexpr int64 FEW_EVENTS = 8;  // neurons for each event, from which on events are few (measured)

// Where each source has one synapse, its place is known.
INLINE void add_single(const Projection& p, const Moment& now, Inbox& inbox, Range targets, real* to) {
    spikes(p.edges, *p.source, p.first_source, now.stamp, [&](int64 i, int64, int64 many) {
        const int64 target = p.edges.target[i];
        if (target < targets.first || target >= targets.stop) return;
        to[target] += real(many) * (p.weights ? p.weights[i] : real(p.weight));
        inbox.touched = true;
    });
}

// Finds what arrives. Where stretches are long, it is added up block by block, just before the neurons of a block advance; where events are
// few and may act behind the neurons' step, they wait for that.
template <bool late> inline void deliver(const Projection& p, const Moment& now) {
    Inbox& inbox = p.inbox[now.thread];
    inbox.touched = inbox.waits = false;
    inbox.direct = p.span == 0;
    inbox.count = 0;
    const Range targets = own_targets(p, now);
    if (targets.first >= targets.stop) return;
    real* const to = p.arriving(now.stamp) + p.first_target;
    if (p.edges.single) {
        inbox.direct = true;
        return add_single(p, now, inbox, targets, to);
    }
    spikes(p.edges, *p.source, p.first_source, now.stamp, [&](int64 i, int64 j, int64 many) __attribute__((always_inline)) {
        if (inbox.count == MOST) {
            add_up(p, inbox, targets, to);
            inbox.direct = true;
        }
        ask(p, i, j);
        inbox.active[inbox.count++] = {i, j, many};
    });
    const int64 synapses = look_up(p, inbox, targets);
    if (late && !inbox.touched && FEW_EVENTS * synapses <= p.target->n) {
        inbox.waits = inbox.count > 0;
        inbox.direct = true;
    }
    if (inbox.waits || !inbox.direct) return;
    add_all(p, inbox, to);
    inbox.touched |= inbox.count > 0;
    inbox.count = 0;
}

// Of a port whose events may act behind the neurons' step: only those of a single projection can, since its sum is added to the others'.
inline void meet(const Port& port, const Moment& now) {
    int64 active = 0;
    for (int64 i = 0; i < port.count; i++) {
        const Inbox& inbox = port.from[i]->inbox[now.thread];
        active += inbox.touched || inbox.count > 0;
    }
    if (active < 2) return;
    for (int64 i = 0; i < port.count; i++) {
        const Projection& p = *port.from[i];
        Inbox& inbox = p.inbox[now.thread];
        if (!inbox.waits) continue;
        add_all(p, inbox, p.arriving(now.stamp) + p.first_target);
        inbox.touched = true;
        inbox.waits = false;
    }
}

struct Plus {  // how a sum changes a state
    real operator()(real x, real sum) const { return x + sum; }
};

struct Minus {
    real operator()(real x, real sum) const { return x - sum; }
};

// Changes a state by the sums of a stretch's targets, to which those of its own events are added if it is the last.
template <class Change, class Own> INLINE void settle(const Projection& p, const Stretch& s, real* sums, real* to, Change change, Own own) {
    for (int64 e = s.at; e < s.end; e++) {
        const int64 j = p.edges.target[e];
        to[j] = change(to[j], own(sums[j], e));
        sums[j] = real(0);
    }
}

// Changes a state by what waits at a port. Targets of the last stretch are settled as it is read, if none is there twice. A target that several
// events reach is met again with a sum of zero, which changes nothing: no sum of events is -0.
template <class Change> inline void settle(const Port& port, const Moment& now, real* state, Change change) {
    for (int64 k = 0; k < port.count; k++) {
        const Projection& p = *port.from[k];
        Inbox& inbox = p.inbox[now.thread];
        if (!inbox.waits) continue;
        real *const sums = p.arriving(now.stamp) + p.first_target, *const to = state + p.first_target;
        const Stretch last = inbox.active[inbox.count - 1];
        const real many = real(last.many), weight = many * real(p.weight);
        const bool apart = p.edges.apart;
        inbox.count -= apart;
        add_all(p, inbox, sums);
        if (apart && p.weights) settle(p, last, sums, to, change, [&](real sum, int64 e) { return sum + many * p.weights[e]; });
        else if (apart) settle(p, last, sums, to, change, [&](real sum, int64) { return sum + weight; });
        for (int64 i = 0; i < inbox.count; i++) settle(p, inbox.active[i], sums, to, change, [](real sum, int64) { return sum; });
    }
}

// What comes to the neurons from `first` to before `stop`, whole tiles.
inline void spread(const Projection& p, const Moment& now, int64 first, int64 stop) {
    Inbox& inbox = p.inbox[now.thread];
    if (inbox.direct) return;
    inbox.touched = false;
    inbox.first = first;
    for (int64 i = 0; i < inbox.count; i++) {
        Stretch& s = inbox.active[i];
        const int64 before = s.at;
        add<false>(p, s, stop - p.first_target, p.block + now.thread * p.span, p.first_target - first);
        inbox.touched |= s.at != before;
    }
}

// Calls act(target, payload) for each event at a port where they act one by one.
template <class Act> INLINE void one_by_one(const Projection& p, const Moment& now, Act act) {
    arrivals(p, now, EARLY, [&](int64, int64 begin, int64 end, int64 many) {
        for (int64 m = 0; m < many; m++)
            for (int64 e = begin; e < end; e++) act(p.first_target + p.edges.target[e], p.weights ? p.weights[e] : real(p.weight));
    });
}

// What becomes of a payload that a handler sends.
struct Add {
    real* to;
    void operator()(int64 target, int64, real payload) const { to[target] += payload; }
};

struct Later {  // each synapse has a delay of its own
    const Projection& p;
    int64 stamp;
    void operator()(int64 target, int64 synapse, real payload) const { p.arriving(stamp + p.dend[synapse])[p.first_target + target] += payload; }
};

template <class Act> struct Acts {
    const Projection& p;
    Act act;
    void operator()(int64 target, int64, real payload) const { act(p.first_target + target, payload); }
};

struct Nowhere {
    void operator()(int64, int64, real) const {}
};

template <class Send, class Synapse, class Target> struct Sent {
    Send send;
    Synapse synapse;
    Target target;
    struct Payload {
        const Sent& sent;
        int64 lane;
        void operator=(real payload) const { sent.send(sent.target(lane), sent.synapse(lane), payload); }
    };
    Payload operator[](int64 lane) const { return {*this, lane}; }
};

template <char from, class Source, class Target> struct Given;  // an input of a synapse
template <class Source, class Target> struct Given<'0', Source, Target> : Same<real> {
    Given(const real* from, Source, Target) : Same<real>{*from} {}
};
template <class Source, class Target> struct Given<'<', Source, Target> : At<const real, Source> {
    Given(const real* from, Source source, Target) : At<const real, Source>{from, source} {}
};
template <class Source, class Target> struct Given<'>', Source, Target> : At<const real, Target> {
    Given(const real* from, Source, Target target) : At<const real, Target>{from, target} {}
};

template <class Synapse, class When> struct Decayed {  // since the last event, from two factors
    const int64* last;
    Synapse synapse;
    const real* fine;
    const real* coarse;
    int64 most;
    When when;
    real operator[](int64 lane) const {
        const uint64 steps = (uint64)(when(lane) - last[synapse(lane)]), pieces = steps / PIECE;
        return fine[steps % PIECE] * coarse[pieces < (uint64)most ? pieces : (uint64)most];
    }
};

// Calls body(lane) for the lanes from first to before stop; where they do not touch one another, as vector code.
template <bool apart, class Body> INLINE void along(int64 first, int64 stop, Body body) {
    if constexpr (apart) {
        VECTOR for (int64 lane = first; lane < stop; lane++) body(lane);
    } else {
        for (int64 lane = first; lane < stop; lane++) body(lane);
    }
}

template <class T> struct Within {  // what is kept of a block of lanes
    int64 first;
    Lanes<T> room;
    T& operator[](int64 lane) { return room[lane - first]; }
};

// All of it, whichever thread's: for what one thread does alone.
INLINE Moment alone(const Moment& now) { return {now.stamp, now.step, now.row, 0, 1, now.seed, nullptr}; }

template <class Place> constexpr bool is_next = false;
template <> constexpr bool is_next<Next> = true;

template <class Place> constexpr bool is_apart = is_next<Place>;  // whether it is known that no two lanes stand at one place
template <> constexpr bool is_apart<Strided> = true;

// Calls run(synapses, source, targets, lanes, many) for a stretch of synapses that lie by source.
template <class Run> INLINE void by_source(const Projection& p, int64 i, int64 begin, int64 end, int64 many, Run run) {
    if (p.edges.dense) run(Next{begin}, Single{i}, Next{p.edges.target[begin]}, end - begin, many);
    else run(Next{begin}, Single{i}, Listed<int32>{p.edges.target + begin}, end - begin, many);
}

// Calls run(synapses, source, targets, lanes, many) for each stretch that an event reaches from its source …
template <class Run> INLINE void forward(const Projection& p, const Moment& now, Time time, Run run) {
    if (p.turned) {  // every source has every target: there is nothing to look up
        const Range mine = own_targets(p, now);
        const int64 first = mine.first > 0 ? mine.first : 0, stop = mine.stop < p.back.sources ? mine.stop : p.back.sources;
        return spikes(p.edges, *p.source, p.first_source, now.stamp, time == EARLY, time == (p.late ? LATE : EARLY), [&](int64 i, int64, int64 many) {
            if (first < stop) run(Strided{i + first * p.turned, p.turned}, Single{i}, Next{first}, stop - first, many);
        }, NEVER, NEVER);
    }
    arrivals(p, now, time, [&](int64 i, int64 begin, int64 end, int64 many) {
        if (p.place) run(Listed<int32>{p.place + begin}, Single{i}, Listed<int32>{p.edges.target + begin}, end - begin, many);
        else by_source(p, i, begin, end, many, run);
    });
}

// … and from its target; these are a thread's own or none of its business.
template <class Run> INLINE void backward(const Projection& p, const Moment& now, Run run) {
    const Range mine = own_targets(p, now);
    const int64 sources = p.edges.sources;
    if (p.full) {
        return spikes(p.back, *p.target, p.first_target, now.stamp, [&](int64 j, int64, int64 many) {
            if (j < mine.first || j >= mine.stop) return;
            if (p.turned) run(Next{j * p.turned}, Next{0}, Single{j}, sources, many);
            else run(Strided{j, p.back.sources}, Next{0}, Single{j}, sources, many);
        });
    }
    arrivals(p.back, *p.target, p.first_target, alone(now), true, true, ALL, nullptr, [&](int64 j, int64 begin, int64 end, int64 many) {
        if (j < mine.first || j >= mine.stop) return;
        const Listed<int32> sources{p.back.target + begin};
        if (p.place) run(Next{begin}, sources, Single{j}, end - begin, many);
        else if (p.far) run(Listed<int64>{p.far + begin}, sources, Single{j}, end - begin, many);
        else run(Listed<int32>{p.synapse + begin}, sources, Single{j}, end - begin, many);
    });
}

// Calls use(send) with what sending does at this stamp where payloads are summed.
template <class Use> INLINE void summed(const Projection& p, const Moment& now, Use use) {
    if (p.dend) use(Later{p, now.stamp});
    else use(Add{p.arriving(now.stamp + p.wait) + p.first_target});
}

// A signal rises by what has arrived.
INLINE void raise(const Projection& p, const Moment& now) {
    real& sum = *p.arriving(now.stamp);
    *p.level += sum;
    sum = real(0);
}

// --- what comes to a tile

inline const Lanes<real> ZEROS{};

// The sum of a port, for the tiles from `first` to before `stop`: the sums of its projections, one after the other, put together in those of the
// first to which something came. To put them together again changes nothing.
struct Arrived {
    const Port& port;
    const Moment& now;
    int64 first, stop;
    real* sums = nullptr;  // null where nothing comes

    INLINE Arrived(const Port& from, const Moment& at, int64 begin, int64 end) : port(from), now(at), first(begin), stop(end) {
        for (int64 i = 0; i < port.count; i++) {
            if (!touched(i)) continue;
            if (sums) join(comes(i));
            else sums = comes(i);
        }
    }

    INLINE bool touched(int64 i) const { return port.from[i]->inbox[now.thread].touched; }

    INLINE real* comes(int64 i) const {
        const Projection& p = *port.from[i];
        const Inbox& inbox = p.inbox[now.thread];
        return (inbox.direct ? p.arriving(now.stamp) : p.block + now.thread * p.span - inbox.first) + first * LANES;
    }

    NOINLINE void join(real* more) const {
        VECTOR for (int64 lane = 0; lane < (stop - first) * LANES; lane++) {
            sums[lane] += more[lane];
            more[lane] = real(0);
        }
    }

    INLINE void clear() const {
        if (sums) __builtin_memset(sums, 0, (stop - first) * LANES * sizeof(real));
    }
};

template <bool some> struct Sums {
    const real* from;
    INLINE Sums(const real* sums, int64 lanes) : from(sums ? sums + lanes : ZEROS.at) {}
    real operator[](int64 lane) const { return from[lane]; }
};

template <> struct Sums<false> {
    Sums(const real*, int64) {}
    real operator[](int64) const { return real(0); }
};

template <bool each> struct Input;

template <> struct Input<false> : Same<real> {
    Input(const Feed& feed, const Moment& now, int64) : Same<real>{feed.values ? real(feed.values[now.row * feed.row]) : real(0)} {}
};

template <> struct Input<true> {
    const real* from;
    Lanes<real> room;
    Input(const Feed& feed, const Moment& now, int64 tile) {
        if (!feed.values && feed.count < 2) {
            from = feed.count ? feed.from[0]->sums + tile * LANES : ZEROS.at;
            return;
        }
        from = room.at;
        if (feed.values) {
            const double* row = feed.values + now.row * feed.row;
            for (int lane = 0; lane < LANES; lane++) {
                const int64 neuron = tile * LANES + lane;
                room[lane] = real(row[(neuron < feed.last ? neuron : feed.last) * feed.column]);
            }
        }
        for (int64 i = 0; i < feed.count; i++) {
            const real* more = feed.from[i]->sums + tile * LANES;
            for (int lane = 0; lane < LANES; lane++) room[lane] = i || feed.values ? room[lane] + more[lane] : more[lane];
        }
    }
    real operator[](int64 lane) const { return from[lane]; }
};

// --- what is done for all groups, before and behind the populations

inline void couple(const Coupling& c, const Moment& now) {
    if (c.values && c.row == 0 && now.step > 0) return;  // as it was
    const Range mine = own(now, *c.target, LANES), targets = own_targets(c, now);
    for (int64 j = mine.first; j < mine.stop; j++) c.sums[j] = real(0);
    const double* values = c.values ? c.values + now.row * c.row : nullptr;
    real* const to = c.sums + c.first_target;
    for (int64 i = 0; i < c.edges.sources; i++) {
        const real x = values ? real(values[i * c.column]) : c.x[i];
        int64 begin = c.edges.starts[i * c.edges.delays], end = c.edges.starts[(i + 1) * c.edges.delays];
        if (targets.stop != ALL.stop) {
            begin = from_target(c.edges, begin, end, targets.first);
            end = from_target(c.edges, begin, end, targets.stop);
        }
        for (int64 e = begin; e < end; e++) {
            const int32 j = c.edges.target[e];
            to[j] += (c.weights ? c.weights[e] : real(c.weight)) * (c.y ? x - c.y[j] : x);
        }
    }
}

inline bool is_due(const Record& record, const Moment& now) { return now.stamp % record.every == 0; }

inline void keep(const Record& record, const Moment& now) {
    const int64 first = (now.stamp / record.every - record.origin - 1) * record.n;
    for (int64 i = 0; i < record.n; i++) {
        if (record.kind == 0) ((real*)record.to)[first + i] = ((const real*)record.from)[i];
        else if (record.kind == 1) ((int32*)record.to)[first + i] = (int32)((const count*)record.from)[i];
        else ((bool*)record.to)[first + i] = ((const bool*)record.from)[i];
    }
}

inline void copy(const Copy& c) { __builtin_memcpy(c.to, c.from, c.n * sizeof(real)); }

inline void prepare(Network& net, const Moment& now) {
    for (int64 i = 0; i < net.source_count; i++) draw(net.sources[i], now);
    for (int64 i = 0; i < net.coupling_count; i++) couple(net.couplings[i], now);
    for (int64 i = now.thread; i < net.trace_count; i += now.threads) {
        const Trace& trace = net.traces[i];
        const real decay = real(trace.decay);
        real* const values = trace.values;
        for (int64 first = 0; first < trace.n; first += LANES)
            VECTOR for (int lane = 0; lane < LANES; lane++) values[first + lane] *= decay;
    }
    if (now.thread == 0)
        for (int64 i = 0; i < net.signal_count; i++) *net.signals[i].level *= real(net.signals[i].decay);
}

// Behind `prepare` and what flows.
inline void prepared(Network& net, const Moment& now) {
    if (!net.prepares) return;
    wait(now);
    if (now.thread == 0)
        for (int64 i = 0; i < net.source_count; i++) close(net, *net.sources[i].group, now, unit(net.sources[i]));
    if (net.source_count) wait(now);
}

// Traces rise behind all handlers; then what is asked for is kept.
inline void finish(const Network& net, const Moment& now) {
    bool due = false;
    for (int64 i = 0; i < net.record_count; i++) due |= is_due(net.records[i], now);
    if (!due && !net.finishes) return;
    wait(now);
    for (int64 i = now.thread; i < net.trace_count; i += now.threads) {
        const Trace& trace = net.traces[i];
        spikes(*trace.edges, *trace.of, trace.first, now.stamp, [&](int64 i, int64, int64 many) {
            trace.values[i] = trace.nearest ? real(1) : trace.values[i] + real(many);
        });
    }
    wait(now);
    for (int64 i = now.thread; i < net.copy_count; i += now.threads) copy(net.copies[i]);
    for (int64 i = now.thread; i < net.record_count; i += now.threads)
        if (is_due(net.records[i], now)) keep(net.records[i], now);
    wait(now);
}

}  // namespace birc
