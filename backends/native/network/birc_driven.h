// Spikes of targets that act when the source's next event comes: a history of them, with what handlers read at each. Traces of the source are
// followed from its last event on, step by step, with the roundings of every step.

namespace birc {

constexpr int64 TOGETHER = 8;    // sources whose traces are followed side by side, as vectors
constexpr int64 SYNAPSES = 1024;  // whose spikes are looked up at a time

struct Noted {  // what a handler reads at a target's spike
    const real* from;
    int64 by;  // from one target's to the next one's: 1, or 0 where it is the same for all
    real* to;  // [capacity]
};

struct Followed {  // a trace of the source
    const real* values;
    double decay;
    int64 nearest;
    real* base;  // [threads][sources]: what it was at the source's last event, before it rose
    real* path;  // [threads][window + 1][TOGETHER]: what it was from then on
};

struct Progress {  // of one thread; all are alike
    int64 used;     // spikes in the history
    int64 last;     // the stamp of the latest of them
    int64 flushed;  // the stamp up to which all have acted
    int64 rest[LINE / 8 - 3];
};

struct Driven {
    int64 capacity, window;  // spikes, and steps, that are kept at most
    int64 every;             // steps after which states are read, or 0
    int32* after;            // [capacity]: in which step behind the last flush a spike was seen
    int32* before;           // [capacity]: where the spike of the same target before that stands, or -1
    int32* latest;           // [targets]: where the last one stands, or -1
    int64 noted_count;
    const Noted* noted;
    int64 followed_count;
    const Followed* followed;
    Progress* progress;  // [threads]
    int64* visited;      // [threads][sources]: the stamp of a source's last event
    int64* many;         // [threads][sources]: how many came then
    int64* done;         // [threads][stretches]: the spikes in front of that place have acted
    int32* lanes;        // [threads][room]
    int32* spikes;       // [threads][room]
    int32* rounds;       // [threads][room]
    int64 room;          // window + 2 SYNAPSES at least
    const int64* order;  // by input of `on post`: which of `noted`, or -1 - which of `followed`
    int64 inputs;
};

constexpr int64 MOST_INPUTS = 64;

// --- places

struct Picked {  // some of a row's
    int64 first;
    const int32* at;
    int64 operator()(int64 lane) const { return first + at[lane]; }
};
template <> constexpr bool is_apart<Picked> = true;

struct Spike {  // in the history
    const int32* at;
    int32 operator()(int64 lane) const { return at[lane]; }
};

struct Then {  // when a spike was seen
    const int32* after;
    Spike spike;
    int64 flushed;
    int64 operator()(int64 lane) const { return flushed + after[spike(lane)]; }
};

struct Along {  // on the path of a source's traces; 32 bits are one word of a vector
    const int32* after;
    Spike spike;
    int32 from, column;
    int32 operator()(int64 lane) const { return (after[spike(lane)] - from) * (int32)TOGETHER + column; }
};

template <class Source> struct Given<'0', Source, Spike> : At<const real, Spike> {
    Given(const real* from, Source, Spike spike) : At<const real, Spike>{from, spike} {}
};

struct Past {  // in place of a moment
    Then then;
    const real* const* inputs;
    Then when() const { return then; }
    const real* const* given(const Projection&, int64) const { return inputs; }
};

// --- what is kept

// Spikes of targets at this stamp, with what handlers read.
inline void note(const Projection& p, const Moment& now) {
    const Driven& d = *p.driven;
    const Range mine = own_targets(p, now);
    Progress& progress = d.progress[now.thread];
    spikes(p.back, *p.target, p.first_target, now.stamp, [&](int64 j, int64, int64) {
        const int64 at = progress.used++;
        progress.last = now.stamp;
        if (j < mine.first || j >= mine.stop) return;
        d.after[at] = (int32)(now.stamp - progress.flushed);
        d.before[at] = d.latest[j];
        d.latest[j] = (int32)at;
        for (int64 k = 0; k < d.noted_count; k++) d.noted[k].to[at] = d.noted[k].from[j * d.noted[k].by];
    });
}

// The traces of some sources, from the last event of each to the latest spike of a target.
inline void follow(const Projection& p, int64 thread, const int64* source, int64 count) {
    const Driven& d = *p.driven;
    const int64* const visited = d.visited + thread * p.edges.sources;
    const int64* const many = d.many + thread * p.edges.sources;
    int64 steps = -1;
    for (int64 c = 0; c < count; c++) {
        const int64 more = d.progress[thread].used ? d.progress[thread].last - visited[source[c]] : -1;
        steps = more > steps ? more : steps;
    }
    if (steps < 0) return;
    for (int64 k = 0; k < d.followed_count; k++) {
        const Followed& trace = d.followed[k];
        const real decay = real(trace.decay);
        real* const path = trace.path + thread * (d.window + 1) * TOGETHER;
        alignas(64) real x[TOGETHER] = {};
        for (int64 c = 0; c < count; c++) {
            const real before = trace.base[thread * p.edges.sources + source[c]];
            path[c] = before;
            x[c] = !many[source[c]] ? before : trace.nearest ? real(1) : before + real(many[source[c]]);
        }
        for (int64 step = 1; step <= steps; step++)
            for (int64 c = 0; c < TOGETHER; c++) path[step * TOGETHER + c] = x[c] *= decay;
    }
}

// From this stamp on traces are followed anew.
inline void begin_anew(const Projection& p, const Moment& now, int64 source, int64 many) {
    const Driven& d = *p.driven;
    const int64 at = now.thread * p.edges.sources + source;
    d.visited[at] = now.stamp;
    d.many[at] = many;
    for (int64 k = 0; k < d.followed_count; k++) d.followed[k].base[at] = d.followed[k].values[source];
}

// --- what has not acted yet

// Spikes from `since` on, of the targets of `size` synapses from `first` on, in rounds: the last one of each synapse, the one before that … Gives
// the rounds, or -1 where there is no room.
INLINE int64 look_back(const Projection& p, int64 thread, int64 first, int64 size, int64 since) {
    const Driven& d = *p.driven;
    int32 *const lanes = d.lanes + thread * d.room, *const spikes = d.spikes + thread * d.room, *const rounds = d.rounds + thread * d.room;
    const int32* const target = p.edges.target + first;
    int64 count = 0, from = 0, found = 0;
    for (int64 lane = 0; lane < size; lane++) {
        const int32 spike = d.latest[target[lane]];
        lanes[count] = (int32)lane;  // one that has acted is written over
        spikes[count] = spike;
        count += spike >= since;
    }
    rounds[0] = 0;
    while (count > from) {
        const int64 stop = count;
        rounds[++found] = (int32)stop;
        if (2 * stop - from > d.room) return -1;
        for (int64 i = from; i < stop; i++) {
            const int32 spike = d.before[spikes[i]];
            lanes[count] = lanes[i];
            spikes[count] = spike;
            count += spike >= since;
        }
        from = stop;
    }
    return found;
}

// Calls post(past, synapses, sources, targets, lanes) for what the synapses of a stretch have not seen, older spikes first.
template <class Post> INLINE void catch_up(const Projection& p, int64 thread, int64 source, int64 stretch, int64 column, Range edges, Post post) {
    const Driven& d = *p.driven;
    int64& done = d.done[thread * p.edges.sources * p.edges.delays + stretch];
    const int64 since = done, used = d.progress[thread].used, flushed = d.progress[thread].flushed;
    done = used;
    if (since == used) return;
    const real* inputs[MOST_INPUTS];
    for (int64 k = 0; k < d.inputs; k++) {
        const int64 which = d.order[k];
        inputs[k] = which < 0 ? d.followed[-1 - which].path + thread * (d.window + 1) * TOGETHER : d.noted[which].to;
    }
    const int32 *const lanes = d.lanes + thread * d.room, *const spikes = d.spikes + thread * d.room, *const rounds = d.rounds + thread * d.room;
    for (int64 first = edges.first; first < edges.stop;) {
        int64 size = edges.stop - first < SYNAPSES ? edges.stop - first : SYNAPSES, round;
        while ((round = look_back(p, thread, first, size, since)) < 0) size /= 2;
        while (round-- > 0) {
            const Spike spike{spikes + rounds[round]};
            const Along along{d.after, spike, (int32)(d.visited[thread * p.edges.sources + source] - flushed), (int32)column};
            post(Past{{d.after, spike, flushed}, inputs}, Picked{first, lanes + rounds[round]}, along, spike, rounds[round + 1] - rounds[round]);
        }
        first += size;
    }
}

// The part of a stretch that is a thread's.
INLINE Range own_part(const Projection& p, int64 stretch, Range targets) {
    int64 begin = p.edges.starts[stretch], end = p.edges.starts[stretch + 1];
    if (targets.stop != ALL.stop) {
        begin = from_target(p.edges, begin, end, targets.first);
        end = from_target(p.edges, begin, end, targets.stop);
    }
    return {begin, end};
}

struct Visit {
    int64 source, stretch, many;
};

// Calls post as above for each stretch that an event reaches from its source, then run(synapses, source, targets, lanes, many).
template <class Post, class Run> INLINE void visits(const Projection& p, const Moment& now, Time time, Post post, Run run) {
    const Range targets = own_targets(p, now);
    Visit active[TOGETHER];
    int64 sources[TOGETHER], count = 0;
    const auto all = [&]() __attribute__((always_inline)) {
        for (int64 c = 0; c < count; c++) fetch(p.edges.target, p.edges.starts[active[c].stretch], p.edges.starts[active[c].stretch + 1]);
        follow(p, now.thread, sources, count);
        for (int64 c = 0; c < count; c++) {
            const Visit& visit = active[c];
            const Range edges = own_part(p, visit.stretch, targets);
            catch_up(p, now.thread, visit.source, visit.stretch, c, edges, post);
            begin_anew(p, now, visit.source, visit.many);
            if (edges.first < edges.stop) by_source(p, visit.source, edges.first, edges.stop, visit.many, run);
        }
        count = 0;
    };
    spikes(p.edges, *p.source, p.first_source, now.stamp, time == EARLY, time == (p.late ? LATE : EARLY), [&](int64 i, int64 j, int64 many) {
        __builtin_prefetch(p.edges.starts + i * p.edges.delays + j);
        active[count] = {i, i * p.edges.delays + j, many};
        sources[count++] = i;
        if (count == TOGETHER) all();
    }, NEVER, NEVER);
    all();
}

// Lets all spikes act that have not.
template <class Post> NOINLINE void flush(const Projection& p, const Moment& now, Post post) {
    const Driven& d = *p.driven;
    const Range targets = own_targets(p, now);
    Progress& progress = d.progress[now.thread];
    const int64 n = p.edges.sources, delays = p.edges.delays;
    for (int64 first = 0; first < n; first += TOGETHER) {
        int64 sources[TOGETHER], count = 0;
        for (int64 i = first; i < n && i < first + TOGETHER; i++) sources[count++] = i;
        follow(p, now.thread, sources, count);
        for (int64 c = 0; c < count; c++) {
            const int64 i = sources[c];
            for (int64 at = i * delays; at < (i + 1) * delays; at++) {
                catch_up(p, now.thread, i, at, c, own_part(p, at, targets), post);
                d.done[now.thread * n * delays + at] = 0;
            }
            if (d.visited[now.thread * n + i] != now.stamp) begin_anew(p, now, i, 0);
        }
    }
    const int64 stop = targets.stop < p.back.sources ? targets.stop : p.back.sources;
    for (int64 j = targets.first > 0 ? targets.first : 0; j < stop; j++) d.latest[j] = -1;
    progress.used = 0;
    progress.flushed = now.stamp;
}

// Whether the history is full, or states are read at this stamp.
INLINE bool is_full(const Projection& p, const Moment& now) {
    const Driven& d = *p.driven;
    const Progress& progress = d.progress[now.thread];
    if (d.every && now.stamp % d.every == 0) return true;
    return progress.used + p.target->n > d.capacity || now.stamp - progress.flushed >= d.window;
}

// What all threads know alike, from the first to the others: fewer may have run.
inline void share(const Projection& p, int64 threads) {
    const Driven& d = *p.driven;
    const int64 n = p.edges.sources, stretches = n * p.edges.delays;
    for (int64 thread = 1; thread < threads; thread++) {
        d.progress[thread] = d.progress[0];
        __builtin_memcpy(d.visited + thread * n, d.visited, n * sizeof *d.visited);
        __builtin_memcpy(d.many + thread * n, d.many, n * sizeof *d.many);
        __builtin_memcpy(d.done + thread * stretches, d.done, stretches * sizeof *d.done);
        for (int64 k = 0; k < d.followed_count; k++)
            __builtin_memcpy(d.followed[k].base + thread * n, d.followed[k].base, n * sizeof(real));
    }
}

}  // namespace birc
