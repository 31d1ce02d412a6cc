// The floor of networks: what a patient person would write by hand for each case, in the same scheme and with the same parameters.
// Neurons advance in chunks of 64 whose loops have no branches; only the flags of a chunk that has a spike are read. The spikes of a step are a
// list; each adds a constant weight at the targets in its row, which are there by the next step. Fast-math gives vector exponentials.
//   g++ -std=c++17 -O3 -march=native -ffast-math -DREAL=float floor_network.cpp -o floor
//   ./floor CASE NEURONS STEPS
// prints processor seconds of the steps, spikes, processor seconds of the wiring, synapses and the bytes that they take.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <vector>

typedef REAL real;
constexpr int CHUNK = 64;
constexpr long LIST = 1 << 20;  // spikes, the last of which are kept
constexpr long AHEAD = 2;       // spikes between the row that is fetched and the one that is read
constexpr int DEGREE = 80;      // synapses onto a neuron, four fifths of them excitatory; in random networks on average

static double seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static long chunks(long n) { return (n + CHUNK - 1) / CHUNK * CHUNK; }

template <class T> struct Array {  // begins on a line of the cache
    std::unique_ptr<T[], decltype(&free)> data{nullptr, free};
    explicit Array(long n, T value = T()) : data((T*)aligned_alloc(64, (n * sizeof(T) + 63) / 64 * 64), free) {
        for (long i = 0; i < n; i++) data[i] = value;
    }
    T& operator[](long i) { return data[i]; }
    T* at(long i) { return data.get() + i; }
};

struct Spikes {  // those of a whole run, of which the last LIST are kept; `index(k)` is the k-th
    std::vector<int> list = std::vector<int>(LIST);
    long total = 0;
    int index(long k) const { return list[k & (LIST - 1)]; }
    void add(int i) { list[total++ & (LIST - 1)] = i; }
    void read(const int* fired, long base, long n) {
        for (int i = 0; i < CHUNK; i++)
            if (fired[i] && base + i < n) add((int)(base + i));
    }
};

struct Rows {  // of targets, by source, ascending
    std::vector<int64_t> first;
    std::vector<int32_t> target;
    long bytes() const { return 8 * (long)first.size() + 4 * (long)target.size(); }
    void fetch(int source) const {
        for (int64_t k = first[source]; k < first[source + 1]; k += 16) __builtin_prefetch(target.data() + k);
    }
};

static Rows random_rows(long n, std::mt19937_64& draw) {  // each pair with the same probability
    Rows rows;
    std::geometric_distribution<long> gap(double(DEGREE) / double(n));
    for (long i = 0; i < n; i++) {
        rows.first.push_back((int64_t)rows.target.size());
        for (long j = gap(draw); j < n; j += 1 + gap(draw)) rows.target.push_back((int32_t)j);
    }
    rows.first.push_back((int64_t)rows.target.size());
    return rows;
}

static Rows fixed_rows(long n, std::mt19937_64& draw) {  // each target draws its sources; sorted by counting
    const long excitatory = n / 5 * 4;
    std::vector<int32_t> source((size_t)(n * DEGREE));
    for (long k = 0; k < n * DEGREE; k++) {
        const bool excites = k % DEGREE < DEGREE / 5 * 4;
        const uint64_t low = excites ? 0 : excitatory, many = excites ? excitatory : n - excitatory;
        source[k] = (int32_t)(low + ((draw() >> 32) * many >> 32));
    }
    Rows rows;
    rows.first.assign((size_t)n + 1, 0);
    rows.target.resize(source.size());
    for (int32_t i : source) rows.first[i + 1]++;
    for (long i = 0; i < n; i++) rows.first[i + 1] += rows.first[i];
    std::vector<int64_t> next(rows.first.begin(), rows.first.end() - 1);
    for (long k = 0; k < n * DEGREE; k++) rows.target[next[source[k]]++] = (int32_t)(k / DEGREE);
    return rows;
}

struct Cuba {  // Vogels and Abbott 2005 with currents; exact steps of 0.1 ms
    static constexpr real excite = real(1.62), inhibit = real(-9);
    Array<real> v, e, i;
    Array<int> left;
    Cuba(long n, std::mt19937_64& draw) : v(n), e(n), i(n), left(n) {
        std::uniform_real_distribution<double> start(-60, -50);
        for (long k = 0; k < n; k++) v[k] = (real)start(draw);
    }
    int step(long base, int* __restrict fired) {
        real* __restrict V = v.at(base);
        real* __restrict E = e.at(base);
        real* __restrict I = i.at(base);
        int* __restrict L = left.at(base);
        const double h = 0.1, m = std::exp(-h / 20);
        const real pv = m, pe = std::exp(-h / 5), pi = std::exp(-h / 10);
        const real ke = 5.0 / (5 - 20) * (std::exp(-h / 5) - m), ki = 10.0 / (10 - 20) * (std::exp(-h / 10) - m), rest = -49 * (1 - m);
        int any = 0;
        for (int k = 0; k < CHUNK; k++) {
            const int held = L[k] > 0;
            const real free = V[k] * pv + rest + E[k] * ke + I[k] * ki;
            const real x = held ? V[k] : free;
            const int f = x > real(-50);
            V[k] = f ? real(-60) : x;
            L[k] = f ? 50 : L[k] - held;
            E[k] *= pe;
            I[k] *= pi;
            fired[k] = f;
            any |= f;
        }
        return any;
    }
};

static inline real rate(real x, real e) {  // x / (e - 1) with e = exp(x), finite at 0
    return std::fabs(x) < real(0.01) ? real(1) - x / 2 + x * x / 12 : x / (e - real(1));
}

struct CobaHh {  // Brette et al. 2007, benchmark 3; exponential Euler steps of 0.05 ms, all from the old values; nS, pF, mV
    static constexpr real excite = 6, inhibit = 67;
    Array<real> v, m, h, n, e, i;
    Array<int> left;
    CobaHh(long size, std::mt19937_64& draw) : v(size), m(size), h(size), n(size), e(size), i(size), left(size) {
        std::normal_distribution<double> normal;
        for (long k = 0; k < size; k++) {
            v[k] = real(-65 + 5 * normal(draw));
            e[k] = real(std::fabs(40 + 15 * normal(draw)));
            i[k] = real(std::fabs(200 + 120 * normal(draw)));
        }
    }
    int step(long base, int* __restrict fired) {
        real* __restrict V = v.at(base);
        real* __restrict M = m.at(base);
        real* __restrict H = h.at(base);
        real* __restrict N = n.at(base);
        real* __restrict E = e.at(base);
        real* __restrict I = i.at(base);
        int* __restrict L = left.at(base);
        const double step = 0.05;
        const real dt = step, pe = std::exp(-step / 5), pi = std::exp(-step / 10);
        alignas(64) real next[CHUNK];
        for (int k = 0; k < CHUNK; k++) {
            const real gna = 20000 * M[k] * M[k] * M[k] * H[k], gk = 6000 * (N[k] * N[k]) * (N[k] * N[k]), g = 10 + gna + gk + E[k] + I[k];
            const real to = (gna * 50 - gk * 90 - 600 - I[k] * 80) / g;
            next[k] = to + (V[k] - to) * std::exp(-dt / 200 * g);
        }
        // A loop of its own: fewer values are alive. Of u = exp(-(v+63)/40), the 8th power serves rates over 5 mV, the 10th those over 4 mV.
        for (int k = 0; k < CHUNK; k++) {
            const real x = V[k] + 63, u = std::exp(x / -40), u2 = u * u, u8 = (u2 * u2) * (u2 * u2), up8 = 1 / u8;
            const real am = real(1.28) * rate((13 - x) / 4, u8 * u2 * real(25.790339917193062));
            const real bm = real(1.4) * rate((x - 40) / 5, up8 * real(3.3546262790251185e-4));
            const real ah = real(.128) * std::exp((17 - x) / 18), bh = 4 / (1 + u8 * real(2980.9579870417283));
            const real an = real(.16) * rate((15 - x) / 5, u8 * real(20.085536923187668)), bn = real(.5) * u * real(1.2840254166877414);
            const real sm = am + bm, sh = ah + bh, sn = an + bn, im = am / sm, ih = ah / sh, in = an / sn;
            M[k] = im + (M[k] - im) * std::exp(-dt * sm);
            H[k] = ih + (H[k] - ih) * std::exp(-dt * sh);
            N[k] = in + (N[k] - in) * std::exp(-dt * sn);
        }
        int any = 0;
        for (int k = 0; k < CHUNK; k++) {
            const int held = L[k] > 0, f = (next[k] > real(-20)) & !held;
            V[k] = next[k];
            L[k] = f ? 60 : L[k] - held;
            E[k] *= pe;
            I[k] *= pi;
            fired[k] = f;
            any |= f;
        }
        return any;
    }
};

static void say(double took, long spikes, double wiring, long synapses, long bytes) {
    printf("%.9g %ld %.9g %ld %ld\n", took, spikes, wiring, synapses, bytes);
}

template <class Model> static int recurrent(long n, long steps, Rows (*wire)(long, std::mt19937_64&)) {
    std::mt19937_64 draw(1);
    double began = seconds();
    const Rows rows = wire(n, draw);
    const double wiring = seconds() - began;
    Model model(chunks(n), draw);
    Spikes spikes;
    alignas(64) int fired[CHUNK];
    const long excitatory = n / 5 * 4;
    began = seconds();
    for (long step = 0, sent = 0; step < steps; step++) {
        for (long base = 0; base < n; base += CHUNK)
            if (model.step(base, fired)) spikes.read(fired, base, n);
        for (; sent < spikes.total; sent++) {
            const int s = spikes.index(sent);
            if (sent + AHEAD < spikes.total) rows.fetch(spikes.index(sent + AHEAD));
            real* __restrict g = s < excitatory ? model.e.at(0) : model.i.at(0);
            const real w = s < excitatory ? Model::excite : Model::inhibit;
            const int32_t* __restrict target = rows.target.data();
            for (int64_t k = rows.first[s]; k < rows.first[s + 1]; k++) g[target[k]] += w;
        }
    }
    say(seconds() - began, spikes.total, wiring, (long)rows.target.size(), rows.bytes());
    return 0;
}

constexpr long SOURCES = 1000, WIDE = (SOURCES + CHUNK - 1) / CHUNK * CHUNK;

// Gaps between events along the sources, a Poisson process of so many events per source; two at a time.
struct Shifts {  // xorshift128+ (Vigna 2017)
    uint64_t s0, s1;
    explicit Shifts(std::mt19937_64& draw) : s0(draw()), s1(draw()) {}
    static double unit(uint64_t word) { return ((double)(int64_t)(word >> 11) + 0.5) * 0x1p-53; }
    uint64_t next() {
        uint64_t a = s0;
        const uint64_t b = s1, sum = a + b;
        s0 = b, a ^= a << 23;
        s1 = a ^ b ^ a >> 18 ^ b >> 5;
        return sum;
    }
    void draw(long, long, double (&to)[2]) {
        for (double& u : to) u = unit(next());
    }
};

struct Philox {  // Salmon et al. 2011, 4x32-10: a function of step and draw, as birc draws
    explicit Philox(std::mt19937_64&) {}
    void draw(long step, long pair, double (&to)[2]) {
        uint64_t c0 = (uint32_t)step, c1 = pair, c2 = 0, c3 = 7;
        uint32_t k0 = 1, k1 = 0;
        for (int round = 0; round < 10; round++) {
            const uint64_t first = c0 * 0xD2511F53u, second = c2 * 0xCD9E8D57u;
            c0 = (second >> 32) ^ c1 ^ k0;
            c2 = (first >> 32) ^ c3 ^ k1;
            c1 = (uint32_t)second, c3 = (uint32_t)first;
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        to[0] = Shifts::unit(c0 << 32 | c1), to[1] = Shifts::unit(c2 << 32 | c3);
    }
};

// Song, Miller and Abbott 2000: Poisson sources, all of them onto each neuron; pair rule, additive; forward Euler steps of 0.1 ms.
// Weights lie by target: those of a target that fires are one row.
template <class Generator> static int plastic(long n, long steps) {
    constexpr long PITCH = WIDE + 64 / sizeof(real);  // an odd number of lines: the weights of a source do not share a set of the cache
    const double h = 0.1;
    const real most = real(.01), rise = real(.0001), fall = real(-.000105), decay = std::exp(-h / 20);
    const double apart = 1 / (15e-3 * h);
    std::mt19937_64 draw(1);
    std::uniform_real_distribution<double> uniform(0, 0.01);
    double began = seconds();
    Array<real> w(n * PITCH), x(WIDE), y(n), v(n, -60), g(n);
    for (long k = 0; k < n * PITCH; k++) w[k] = (real)uniform(draw);
    Generator generator(draw);
    const double wiring = seconds() - began;
    Spikes sent, spikes;
    alignas(64) int fired[CHUNK];
    began = seconds();
    for (long step = 0; step < steps; step++) {
        const long old = spikes.total, before = sent.total;
        for (long base = 0; base < n; base += CHUNK) {
            int any = 0;
            const int many = (int)(n - base < CHUNK ? n - base : CHUNK);
            real* __restrict V = v.at(base);
            real* __restrict G = g.at(base);
            for (int k = 0; k < many; k++) {
                const real to = V[k] + real(h / 10) * (-G[k] * V[k] - 74 - V[k]);
                const int f = to > real(-54);
                V[k] = f ? real(-60) : to;
                G[k] -= real(h / 5) * G[k];
                fired[k] = f;
                any |= f;
            }
            if (any) spikes.read(fired, base, base + many);
        }
        for (long i = 0; i < WIDE; i++) x[i] *= decay;
        double place = 0;
        for (long pair = 0; place < SOURCES; pair++) {
            double u[2];
            generator.draw(step, pair, u);
            for (const double& each : u) {
                place -= std::log(each) * apart;
                if (place < SOURCES) sent.add((int)place);
                else break;
            }
        }
        for (long j = 0; j < n; j++) y[j] *= decay;
        for (long k = before; k < sent.total; k++) {
            const int s = sent.index(k);
            for (long j = 0; j < n; j++) {
                real& to = w[j * PITCH + s];
                g[j] += to;
                const real less = to + y[j];
                to = less < 0 ? 0 : less;
            }
        }
        for (long k = old; k < spikes.total; k++) {
            real* __restrict W = w.at(spikes.index(k) * PITCH);
            const real* __restrict X = x.at(0);
            for (long s = 0; s < WIDE; s++) {
                const real more = W[s] + X[s];
                W[s] = more > most ? most : more;
            }
        }
        for (long k = before; k < sent.total; k++) x[sent.index(k)] += rise;
        for (long k = old; k < spikes.total; k++) y[spikes.index(k)] += fall;
    }
    say(seconds() - began, spikes.total, wiring, n * SOURCES, n * SOURCES * (long)sizeof(real));
    return 0;
}

int main(int count, char** words) {
    if (count != 4) return fprintf(stderr, "usage: floor CASE NEURONS STEPS\n"), 2;
    const long n = atol(words[2]), steps = atol(words[3]);
    if (!strcmp(words[1], "cuba")) return recurrent<Cuba>(n, steps, random_rows);
    if (!strcmp(words[1], "cuba-fixed")) return recurrent<Cuba>(n, steps, fixed_rows);
    if (!strcmp(words[1], "coba-hh")) return recurrent<CobaHh>(n, steps, random_rows);
    if (!strcmp(words[1], "stdp")) return plastic<Shifts>(n, steps);
    if (!strcmp(words[1], "stdp-philox")) return plastic<Philox>(n, steps);
    return fprintf(stderr, "no such case\n"), 2;
}
