// Synapses, row by row of their sources, by the definitions of birc/ir/connectivity and to the same bit.
#include <algorithm>
#include <utility>
#include <vector>

#define BIRC_EXPORT extern "C" __attribute__((visibility("default")))

namespace birc {

// Cells a and b of the two sides are one where a == b + same; `alone`: a cell may not reach itself.
struct Wiring {
    int64 sources, targets, same, alone, several, k;
    uint64 seed;
    int64 stream;
    double none;  // log(1 - p)
    int64 rest;   // what is drawn is left out
    int64 threads;

    // The target (source) that is the same cell; one behind the last where there is none.
    int64 own_target(int64 source) const { return own(source - same, targets); }
    int64 own_source(int64 target) const { return own(target + same, sources); }
    int64 own(int64 cell, int64 partners) const { return alone && cell >= 0 && cell < partners ? cell : partners; }

    double uniform(int64 step, int64 instance, uint32 lane) const {
        const uint64 high = (((uint64)step >> 32) & 0xFFFFu) << 16 | lane;
        const uint64 at = (uint64)step & 0xFFFFFFFFu;
        const Words w = philox(at, high, (uint64)instance, (uint64)stream, (uint32)seed, (uint32)(seed >> 32));
        return uniform_of(w.w0, w.w1);
    }

    int64 below(int64 count, double u) const {
        const int64 number = (int64)__builtin_floor(u * double(count));
        return number < count - 1 ? number : count - 1;
    }
};

// Numbers in which each stands once, and their ascending order.
class Set {
  public:
    explicit Set(int64 most) : words((most + 63) / 64, 0) {}

    bool add(int64 number) {
        uint64& word = words[number >> 6];
        const uint64 bit = uint64(1) << (number & 63);
        const bool fresh = !(word & bit);
        word |= bit;
        return fresh;
    }
    void drop(int64 number) { words[number >> 6] &= ~(uint64(1) << (number & 63)); }

    // `give` each number below `room` that is in the set (or, `rest`, that is not), ascending.
    template <class Give> void each(int64 room, bool rest, Give give) const {
        for (int64 w = 0; w * 64 < room; w++) {
            uint64 word = rest ? ~words[w] : words[w];
            if (room - w * 64 < 64) word &= (uint64(1) << (room - w * 64)) - 1;
            for (; word; word &= word - 1) give(w * 64 + __builtin_ctzll(word));
        }
    }
    bool crowded(int64 members) const { return members * 16 >= (int64)words.size(); }

  private:
    std::vector<uint64> words;
};

constexpr int64 FEW = 256;
constexpr int DIGIT = 9;  // bits: the counters stay in the innermost cache

// Sorts numbers below `most`, a digit at a time from the lowest.
inline void sort(int32* begin, int64 count, int64 most, std::vector<int32>& spare) {
    if (count < FEW) {
        std::sort(begin, begin + count);
        return;
    }
    spare.resize(count);
    int32 *from = begin, *to = spare.data();
    for (int shift = 0; shift == 0 || (most - 1) >> shift; shift += DIGIT) {
        int64 next[1 << DIGIT] = {}, total = 0;
        for (int64 i = 0; i < count; i++) next[from[i] >> shift & ((1 << DIGIT) - 1)]++;
        for (int64& n : next) total += n, n = total - n;
        for (int64 i = 0; i < count; i++) to[next[from[i] >> shift & ((1 << DIGIT) - 1)]++] = from[i];
        std::swap(from, to);
    }
    if (from != begin) std::copy(from, from + count, begin);
}

// What a thread needs beside the result.
struct Scratch {
    std::vector<double> u;
    std::vector<int32> number, spare;
    Set set;

    explicit Scratch(int64 most) : set(most) {}

    const double* uniforms(const Wiring& w, int64 first, int64 count, int64 instance) {
        if ((int64)u.size() < count) u.resize(count);
        for (int64 j = 0; j < count; j++) u[j] = w.uniform(first + j, instance, 0);
        return u.data();
    }
    void forget() {
        for (const int32 n : number) set.drop(n);
        number.clear();
    }
};

constexpr int64 AT_A_TIME = 64;

// The walk of `random` over the numbers of a row; `give` gets each.
template <class Give> void walk(const Wiring& w, Scratch& s, int64 source, int64 room, Give give) {
    int64 place = -1;
    for (int64 first = 0;; first += AT_A_TIME) {
        const double* u = s.uniforms(w, first, AT_A_TIME, source);
        double gap[AT_A_TIME];
        for (int64 j = 0; j < AT_A_TIME; j++) {
            const double g = __builtin_floor(draw_log(u[j]) / w.none);
            gap[j] = g < double(w.targets) ? g : double(w.targets);
        }
        for (int64 j = 0; j < AT_A_TIME; j++) {
            place += 1 + (int64)gap[j];
            if (place >= room) return;
            give(place);
        }
    }
}

// `k` of the numbers below `room` for a cell, into `s.number`: independent ones, or Floyd's sample, which then is in `s.set` too.
inline void choose(const Wiring& w, Scratch& s, int64 cell, int64 room) {
    const double* u = s.uniforms(w, 0, w.k, cell);
    s.number.clear();
    for (int64 t = 0; t < w.k; t++) {
        const int64 last = room - w.k + t;
        int64 n = w.below(w.several ? room : last + 1, u[t]);
        if (!w.several && !s.set.add(n)) s.set.add(n = last);
        s.number.push_back((int32)n);
    }
}

// The numbers that `count` draws of a source fall on, into `s.number`; without `several` each once, and in `s.set`.
inline void fall(const Wiring& w, Scratch& s, int64 source, int64 room, int64 count) {
    const double* u = s.uniforms(w, 0, count, source);
    s.number.clear();
    for (int64 j = 0; j < count; j++) {
        const int64 n = w.below(room, u[j]);
        if (w.several || s.set.add(n)) s.number.push_back((int32)n);
    }
}

// Writes `s.number`, ascending, as targets, and forgets it.
inline void put(const Wiring& w, Scratch& s, int64 room, int64 own, bool rest, int32* target) {
    auto write = [&](int64 n) { *target++ = (int32)(n + (n >= own)); };
    if (!w.several && (rest || s.set.crowded((int64)s.number.size()))) {
        s.set.each(room, rest, write);
    } else {
        sort(s.number.data(), (int64)s.number.size(), w.targets, s.spare);
        for (const int32 n : s.number) write(n);
    }
    if (!w.several) s.forget();
}

inline int64 room_of(int64 own, int64 partners) { return partners - (own < partners); }

template <class Each> void rows(const Wiring& w, int64 most, int64 first, int64 last, Each each) {
#pragma omp parallel num_threads((int)w.threads)
    {
        Scratch s(most);
#pragma omp for schedule(dynamic, 16)
        for (int64 cell = first; cell < last; cell++) each(s, cell);
    }
}

}  // namespace birc

using birc::Scratch;
using birc::Wiring;

// --- degrees

BIRC_EXPORT void birc_random_degrees(const Wiring* w, int64 first, int64 last, int64* degree) {
    birc::rows(*w, 0, first, last, [&](Scratch& s, int64 source) {
        const int64 room = birc::room_of(w->own_target(source), w->targets);
        int64 count = 0;
        birc::walk(*w, s, source, room, [&](int64) { count++; });
        degree[source] = count;
    });
}

BIRC_EXPORT void birc_indegree_degrees(const Wiring* w, int64 first, int64 last, int64* degree) {
    birc::rows(*w, w->sources, first, last, [&](Scratch& s, int64 target) {
        const int64 own = w->own_source(target);
        birc::choose(*w, s, target, birc::room_of(own, w->sources));
        for (const int32 n : s.number) __atomic_fetch_add(&degree[n + (n >= own)], 1, __ATOMIC_RELAXED);
        s.forget();
    });
}

// Adds to `count` how often draws `first` to `last` of `fixed_total` fall on the pairs of each source.
BIRC_EXPORT void birc_total_sources(const Wiring* w, int64 first, int64 last, int64* count) {
    const int64 low = w->alone ? std::min(w->sources, std::max<int64>(0, w->same)) : w->sources;  // sources from here on
    const int64 high = std::max(low, std::min(w->sources, w->targets + w->same));                 // to here have one target less
    const int64 t = w->targets, before = low * t, among = (high - low) * (t - 1), pairs = before + among + (w->sources - high) * t;
#pragma omp parallel for schedule(static) num_threads((int)w->threads)
    for (int64 m = first; m < last; m++) {
        const int64 pair = w->below(pairs, w->uniform(m, 0, 1));
        const int64 source = pair < before           ? pair / t
                             : pair < before + among ? low + (pair - before) / (t - 1)
                                                     : high + (pair - before - among) / t;
        __atomic_fetch_add(&count[source], 1, __ATOMIC_RELAXED);
    }
}

// Of the sources with `count` != `known`: `degree` becomes on how many pairs their draws fall.
BIRC_EXPORT void birc_total_degrees(const Wiring* w, int64 first, int64 last, const int64* count, const int64* known, int64* degree) {
    birc::rows(*w, w->targets, first, last, [&](Scratch& s, int64 source) {
        if (count[source] == known[source]) return;
        birc::fall(*w, s, source, birc::room_of(w->own_target(source), w->targets), count[source]);
        degree[source] = (int64)s.number.size();
        s.forget();
    });
}

// --- targets: those of source i from `target[row[i]]` on, ascending

BIRC_EXPORT void birc_random_targets(const Wiring* w, int64 first, int64 last, const int64* row, int32* target) {
    birc::rows(*w, 0, first, last, [&](Scratch& s, int64 source) {
        const int64 own = w->own_target(source);
        int32* out = target + row[source];
        birc::walk(*w, s, source, birc::room_of(own, w->targets), [&](int64 n) { *out++ = (int32)(n + (n >= own)); });
    });
}

BIRC_EXPORT void birc_outdegree_targets(const Wiring* w, int64 first, int64 last, const int64* row, int32* target) {
    birc::rows(*w, w->targets, first, last, [&](Scratch& s, int64 source) {
        const int64 own = w->own_target(source), room = birc::room_of(own, w->targets);
        birc::choose(*w, s, source, room);
        birc::put(*w, s, room, own, false, target + row[source]);
    });
}

BIRC_EXPORT void birc_total_targets(const Wiring* w, int64 first, int64 last, const int64* row, const int64* count, int32* target) {
    birc::rows(*w, w->targets, first, last, [&](Scratch& s, int64 source) {
        const int64 own = w->own_target(source), room = birc::room_of(own, w->targets);
        birc::fall(*w, s, source, room, count[source]);
        birc::put(*w, s, room, own, w->rest, target + row[source]);
    });
}

BIRC_EXPORT void birc_all_targets(const Wiring* w, int64 first, int64 last, const int64* row, int32* target) {
    birc::rows(*w, 0, first, last, [&](Scratch&, int64 source) {
        const int64 own = w->own_target(source), room = birc::room_of(own, w->targets);
        int32* out = target + row[source];
        for (int64 n = 0; n < room; n++) out[n] = (int32)(n + (n >= own));
    });
}

// In rows of any order; `next` begins as the rows do.
BIRC_EXPORT void birc_indegree_targets(const Wiring* w, int64 first, int64 last, int64* next, int32* target) {
    birc::rows(*w, w->sources, first, last, [&](Scratch& s, int64 cell) {
        const int64 own = w->own_source(cell);
        birc::choose(*w, s, cell, birc::room_of(own, w->sources));
        for (const int32 n : s.number) target[__atomic_fetch_add(&next[n + (n >= own)], 1, __ATOMIC_RELAXED)] = (int32)cell;
        s.forget();
    });
}

BIRC_EXPORT void birc_sort(const Wiring* w, int64 first, int64 last, const int64* row, int32* target) {
    birc::rows(*w, w->several ? 0 : w->targets, first, last, [&](Scratch& s, int64 source) {
        int32 *begin = target + row[source], *end = target + row[source + 1];
        if (w->several || !s.set.crowded(end - begin)) {
            birc::sort(begin, end - begin, w->targets, s.spare);
            return;
        }
        s.number.assign(begin, end);
        for (const int32 n : s.number) s.set.add(n);
        s.set.each(w->targets, false, [&](int64 n) { *begin++ = (int32)n; });
        s.forget();
    });
}

// --- what is drawn for each synapse

namespace birc {

enum Kind : int64 { CONSTANT, UNIFORM, NORMAL, LISTED, DENSE };

struct Drawn {
    int64 kind, stream, narrow;  // narrow: `out` is of float
    double a, b, low, high;
    const double* array;  // LISTED: in the order of rows and targets; DENSE: [sources, targets]
    void* out;
};

// Delays: column c of a source is that of steps `lowest + d` where `column[d] == c`; LISTED: column[synapse] itself; CONSTANT: one column.
struct Delays {
    Drawn drawn;
    double h;
    int64 lowest, columns;
    int32* column;
};

// A row of synapses: targets ascending, and which of its pair each is.
struct Row {
    int64 source, begin, count;
    std::vector<int32> target, occurrence;
    std::vector<double> value;
    std::vector<int64> place, next;

    void read(int64 s, const int64* row, const int32* all) {
        source = s, begin = row[s], count = row[s + 1] - begin;
        target.assign(all + begin, all + begin + count);
        occurrence.assign(count, 0);
        for (int64 i = 1; i < count; i++) occurrence[i] = target[i] == target[i - 1] ? occurrence[i - 1] + 1 : 0;
        value.resize(count);
    }

    void draw(const Wiring& w, const Drawn& d) {
        const uint32 s = (uint32)source, stream = (uint32)d.stream;
        const int32 *t = target.data(), *m = occurrence.data();
        double* v = value.data();
        if (d.kind == LISTED) {
            for (int64 i = 0; i < count; i++) v[i] = d.array[begin + i];
        } else if (d.kind == DENSE) {
            for (int64 i = 0; i < count; i++) v[i] = d.array[source * w.targets + t[i]];
        } else if (d.kind == UNIFORM) {
            const double width = d.b - d.a;
            for (int64 i = 0; i < count; i++) {
                const Words words = philox((uint32)t[i], (uint32)m[i], s, stream, (uint32)w.seed, (uint32)(w.seed >> 32));
                v[i] = kept(d, d.a + width * uniform_of(words.w0, words.w1));
            }
        } else {
            for (int64 i = 0; i < count; i++) v[i] = kept(d, d.a + d.b * normal(w.seed, stream, t[i], s, (uint32)m[i]));
        }
    }

    static double kept(const Drawn& d, double x) {
        x = x < d.low ? d.low : x;
        return x > d.high ? d.high : x;
    }

    // The drawn delay of synapse i, above the lowest there can be.
    int64 steps(const Delays& d, int64 i) const {
        const int64 steps = (int64)__builtin_floor(value[i] / d.h + 0.5);
        return (steps < 1 ? 1 : steps) - d.lowest;
    }

    int32 column(const Delays& d, int64 i) const {
        return d.drawn.kind == CONSTANT ? 0 : d.drawn.kind == LISTED ? d.column[begin + i] : d.column[steps(d, i)];
    }

    // Where each synapse goes when they are sorted by delay; the starts of the delays.
    void arrange(const Wiring& w, const Delays& d, int64* starts) {
        if (d.drawn.kind == UNIFORM || d.drawn.kind == NORMAL) draw(w, d.drawn);
        next.assign(d.columns + 1, 0);
        for (int64 i = 0; i < count; i++) next[column(d, i) + 1]++;
        for (int64 c = 0; c < d.columns; c++) next[c + 1] += next[c];
        for (int64 c = 0; c < d.columns; c++) starts[source * d.columns + c] = begin + next[c];
        place.resize(count);
        for (int64 i = 0; i < count; i++) place[i] = next[column(d, i)]++;
    }

    template <class T> void write(T* out) const {
        for (int64 i = 0; i < count; i++) out[begin + place[i]] = T(value[i]);
    }
};

template <class Each> void every_row(const Wiring& w, int64 first, int64 last, Each each) {
#pragma omp parallel num_threads((int)w.threads)
    {
        Row r;
#pragma omp for schedule(dynamic, 16)
        for (int64 source = first; source < last; source++) each(r, source);
    }
}

}  // namespace birc

// Sets `column[d]` to 1 for every drawn delay `lowest + d` that occurs.
BIRC_EXPORT void birc_survey(const Wiring* w, int64 first, int64 last, const int64* row, const int32* target, const birc::Delays* d) {
    birc::every_row(*w, first, last, [&](birc::Row& r, int64 source) {
        r.read(source, row, target);
        r.draw(*w, d->drawn);
        for (int64 i = 0; i < r.count; i++) {
            int32* seen = &d->column[r.steps(*d, i)];
            if (!__atomic_load_n(seen, __ATOMIC_RELAXED)) __atomic_store_n(seen, 1, __ATOMIC_RELAXED);
        }
    });
}

// Sorts rows by delay, and draws the values.
BIRC_EXPORT void birc_finish(
    const Wiring* w, int64 first, int64 last, const int64* row, int32* target, const birc::Delays* d, int64* starts,
    const birc::Drawn* values, int64 count
) {
    birc::every_row(*w, first, last, [&](birc::Row& r, int64 source) {
        r.read(source, row, target);
        r.arrange(*w, *d, starts);
        for (int64 i = 0; i < r.count; i++) target[r.begin + r.place[i]] = r.target[i];
        for (int64 v = 0; v < count; v++) {
            r.draw(*w, values[v]);
            if (values[v].narrow) r.write((float*)values[v].out);
            else r.write((double*)values[v].out);
        }
    });
}
