// Events on their way from synapses to ports where they act one by one.

extern "C" void* realloc(void*, __SIZE_TYPE__);
extern "C" void free(void*);

namespace birc {

struct Event {
    int64 target;  // of the projection
    real payload;
};

struct Bucket {  // what comes at one stamp to the targets of one thread, in the order in which it acts
    Event* events;
    int64 count, room;
};

struct Queue {
    Bucket* buckets;     // [threads][rows of the projection]: what arrives at stamp t is in row t % rows
    int64 threads;       // for which there are buckets
    int64 lost;          // events for which there was no memory
    const Event* given;  // what was on its way before the job
    const int64* due;    // the stamps at which that arrives
    int64 count;
};

NOINLINE inline bool grow(Bucket& bucket) {
    const int64 room = 2 * bucket.room + 16;
    Event* const events = (Event*)realloc(bucket.events, room * sizeof(Event));
    if (!events) return false;
    bucket.events = events, bucket.room = room;
    return true;
}

inline void push(Queue& queue, Bucket& bucket, Event event) {
    if (bucket.count < bucket.room || grow(bucket)) bucket.events[bucket.count++] = event;
    else __atomic_add_fetch(&queue.lost, 1, __ATOMIC_RELAXED);
}

inline Bucket& bucket(const Projection& p, int64 thread, int64 stamp) { return p.queue->buckets[thread * p.rows + remainder(stamp, p.rows)]; }

// Before the first step of a call: events go to the threads whose targets they reach. Those of a target and stamp are in one bucket before and
// behind it, so that their order stays.
inline void share_out(const Projection& p, const Moment& now) {
    Queue& queue = *p.queue;
    for (; queue.count; queue.count--, queue.given++, queue.due++) push(queue, bucket(p, 0, *queue.due), *queue.given);
    for (int64 place = 0; place < queue.threads * p.rows; place++) {
        Bucket& from = queue.buckets[place];
        int64 kept = 0;
        for (int64 k = 0; k < from.count; k++) {
            const Event event = from.events[k];
            int64 thread = 0;
            while (thread + 1 < now.threads && p.first_target + event.target >= p.target->cut(LANES, thread + 1, now.threads)) thread++;
            Bucket& to = queue.buckets[thread * p.rows + place % p.rows];
            if (&to == &from) from.events[kept++] = event;
            else push(queue, to, event);
        }
        from.count = kept;
    }
}

// Calls act(neuron, payload) for what arrives now and was sent before.
template <class Act> INLINE void due(const Projection& p, const Moment& now, Act act) {
    Bucket& arrived = bucket(p, now.thread, now.stamp);
    for (int64 k = 0; k < arrived.count; k++) act(p.first_target + arrived.events[k].target, arrived.events[k].payload);
    arrived.count = 0;
}

// What becomes of a payload: it is on its way …
struct Waits {
    const Projection& p;
    const Moment& now;
    int64 delay(int64 synapse) const { return p.dend ? p.dend[synapse] : p.wait; }
    void operator()(int64 target, int64 synapse, real payload) const {
        push(*p.queue, bucket(p, now.thread, now.stamp + delay(synapse)), {target, payload});
    }
};

// … unless there is no delay.
template <class Act> struct ActsOrWaits {
    Waits waits;
    Act act;
    void operator()(int64 target, int64 synapse, real payload) const {
        if (waits.delay(synapse)) waits(target, synapse, payload);
        else act(waits.p.first_target + target, payload);
    }
};

// Calls use(send) with what sending does behind all populations.
template <class Use> INLINE void sending(const Projection& p, const Moment& now, Use use) {
    if (p.queue) use(Waits{p, now});
    else summed(p, now, use);
}

}  // namespace birc
