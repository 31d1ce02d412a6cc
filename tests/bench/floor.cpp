// The floor: what a patient person would write by hand for each case, in the same scheme and with the same parameters as the library's model.
// Tiles of 64 neurons stay in the first cache for the whole run; loops have no branches; fast-math gives vector exponentials of the C library.
// Spikes are flags; only the flags of a tile that has one are read.
//   g++ -std=c++17 -O3 -march=native -ffast-math -DREAL=float floor.cpp -o floor
//   ./floor CASE NEURONS STEPS      prints processor seconds and the number of spikes
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

typedef REAL real;
constexpr int TILE = 64;
constexpr long LIST = 1 << 20;  // spikes, the last of which are kept

struct Izhikevich {  // forward Euler, dt = 0.5 ms
    static constexpr real low = 0, high = 20;
    alignas(64) real v[TILE], u[TILE];
    Izhikevich() {
        for (int i = 0; i < TILE; i++) v[i] = -65, u[i] = -13;
    }
    int step(const real* __restrict drive, int* __restrict fired) {
        const real h = real(0.5);
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const real x = v[i], y = u[i];
            const real nx = x + h * ((real(0.04) * x + real(5)) * x + real(140) - y + drive[i]);
            const real ny = y + h * real(0.02) * (real(0.2) * x - y);
            const int f = nx >= real(30);
            v[i] = f ? real(-65) : nx;
            u[i] = f ? ny + real(8) : ny;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

struct IzhikevichRungeKutta {  // order 4, dt = 0.1 ms; v enters the right side at most at the threshold
    static constexpr real low = 0, high = 20;
    alignas(64) real v[TILE], u[TILE];
    IzhikevichRungeKutta() {
        for (int i = 0; i < TILE; i++) v[i] = -65, u[i] = -13;
    }
    int step(const real* __restrict drive, int* __restrict fired) {
        const real h = real(0.1);
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const real x = v[i], y = u[i], in = drive[i] + real(140);
            auto dv = [&](real a, real b) {
                a = a < real(30) ? a : real(30);
                return (real(0.04) * a + real(5)) * a + in - b;
            };
            auto du = [&](real a, real b) {
                a = a < real(30) ? a : real(30);
                return real(0.02) * (real(0.2) * a - b);
            };
            const real a1 = dv(x, y), b1 = du(x, y);
            const real x2 = x + h / 2 * a1, y2 = y + h / 2 * b1, a2 = dv(x2, y2), b2 = du(x2, y2);
            const real x3 = x + h / 2 * a2, y3 = y + h / 2 * b2, a3 = dv(x3, y3), b3 = du(x3, y3);
            const real x4 = x + h * a3, y4 = y + h * b3, a4 = dv(x4, y4), b4 = du(x4, y4);
            const real nx = x + h / 6 * (a1 + 2 * (a2 + a3) + a4), ny = y + h / 6 * (b1 + 2 * (b2 + b3) + b4);
            const int f = nx >= real(30);
            v[i] = f ? real(-65) : nx;
            u[i] = f ? ny + real(8) : ny;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

struct AdEx {  // forward Euler, dt = 0.1 ms
    static constexpr real low = 0, high = 1000;
    alignas(64) real v[TILE], w[TILE];
    AdEx() {
        for (int i = 0; i < TILE; i++) v[i] = real(-70.6), w[i] = 0;
    }
    int step(const real* __restrict drive, int* __restrict fired) {
        const real h = real(0.1), C = 281, gL = 30, EL = real(-70.6), vT = real(-50.4), DT = 2, a = 4, tw = 144, b = real(80.5);
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const real x = v[i], y = w[i];
            const real nx = x + h / C * (gL * (EL - x) + gL * DT * std::exp((x - vT) / DT) - y + drive[i]);
            const real ny = y + h / tw * (a * (x - EL) - y);
            const int f = nx >= real(0);
            v[i] = f ? EL : nx;
            w[i] = f ? ny + b : ny;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

static inline real exprel(real x, real e) {  // x / (1 - e) with e = exp(-x), finite at 0
    return std::fabs(x) < real(1e-4) ? real(1) + x / 2 : x / (real(1) - e);
}

// The squid's three gates, exponential steps at the given potentials. One exponential serves (v+65)/20 and (v+65)/80, one (v+40)/10 and (v+55)/10.
static inline void gates(const real* __restrict v, real* __restrict m, real* __restrict h, real* __restrict n, real dt) {
    for (int i = 0; i < TILE; i++) {
        const real x = v[i], slow = std::exp(-(x + 65) / 80), e = std::exp(-(x + 40) / 10);
        const real am = exprel((x + 40) / 10, e), bm = 4 * std::exp(-(x + 65) / 18);
        const real an = real(.1) * exprel((x + 55) / 10, e * real(0.22313016014842982)), bn = real(.125) * slow;
        const real ah = real(.07) * (slow * slow) * (slow * slow), bh = 1 / (1 + std::exp(-(x + 35) / 10));
        const real sm = am + bm, sh = ah + bh, sn = an + bn;
        m[i] = am / sm + (m[i] - am / sm) * std::exp(-dt * sm);
        h[i] = ah / sh + (h[i] - ah / sh) * std::exp(-dt * sh);
        n[i] = an / sn + (n[i] - an / sn) * std::exp(-dt * sn);
    }
}

struct Membrane {  // of the squid: dv/dt = g (rest - v)
    real g, rest;
    Membrane(real m, real h, real n, real drive) {
        const real gna = 120 * m * m * m * h, gk = 36 * (n * n) * (n * n);
        g = gna + gk + real(.3);
        rest = (gna * 50 - gk * 77 - real(.3) * real(54.387) + drive) / g;
    }
};

struct HodgkinHuxley {  // exponential steps, gates first, then v; dt = 0.01 ms
    static constexpr real low = 0, high = 20;
    alignas(64) real v[TILE], m[TILE], h[TILE], n[TILE];
    HodgkinHuxley() {
        for (int i = 0; i < TILE; i++) v[i] = -65, m[i] = real(.0529), h[i] = real(.5961), n[i] = real(.3177);
    }
    int step(const real* __restrict drive, int* __restrict fired) {
        const real dt = real(0.01);
        gates(v, m, h, n, dt);  // a loop of its own: the next neurons' exponentials need not wait for these
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const Membrane to(m[i], h[i], n[i], drive[i]);
            const real x = v[i], nx = to.rest + (x - to.rest) * std::exp(-dt * to.g);
            const int f = (x <= 0) & (nx > 0);
            v[i] = nx;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

struct HodgkinHuxleyExtrapolated : HodgkinHuxley {  // v half, gates, v half; once with dt and twice with dt/2: (4 fine - coarse) / 3
    int step(const real* __restrict drive, int* __restrict fired) {
        const real dt = real(0.01);
        alignas(64) real cv[TILE], cm[TILE], ch[TILE], cn[TILE], fv[TILE], fm[TILE], fh[TILE], fn[TILE];
        for (int i = 0; i < TILE; i++) {
            const Membrane to(m[i], h[i], n[i], drive[i]);
            const real quarter = std::exp(-dt / 4 * to.g);
            fv[i] = to.rest + (v[i] - to.rest) * quarter;
            cv[i] = to.rest + (v[i] - to.rest) * (quarter * quarter);
            cm[i] = fm[i] = m[i], ch[i] = fh[i] = h[i], cn[i] = fn[i] = n[i];
        }
        gates(cv, cm, ch, cn, dt);
        gates(fv, fm, fh, fn, dt / 2);
        for (int i = 0; i < TILE; i++) {
            const Membrane to(fm[i], fh[i], fn[i], drive[i]);
            fv[i] = to.rest + (fv[i] - to.rest) * std::exp(-dt / 2 * to.g);
        }
        gates(fv, fm, fh, fn, dt / 2);
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const Membrane coarse(cm[i], ch[i], cn[i], drive[i]), fine(fm[i], fh[i], fn[i], drive[i]);
            const real c = coarse.rest + (cv[i] - coarse.rest) * std::exp(-dt / 2 * coarse.g);
            const real e = fine.rest + (fv[i] - fine.rest) * std::exp(-dt / 4 * fine.g);
            const real x = v[i], nx = e + (e - c) / 3;
            m[i] = fm[i] + (fm[i] - cm[i]) / 3, h[i] = fh[i] + (fh[i] - ch[i]) / 3, n[i] = fn[i] + (fn[i] - cn[i]) / 3;
            const int f = (x <= 0) & (nx > 0);
            v[i] = nx;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

struct Leaky {  // exact, with an exponential current and a refractory period of 20 steps; dt = 0.1 ms
    static constexpr real low = 0, high = 400;
    alignas(64) real v[TILE], s[TILE];
    alignas(64) int left[TILE];
    Leaky() {
        for (int i = 0; i < TILE; i++) v[i] = -70, s[i] = 0, left[i] = 0;
    }
    int step(const real* __restrict drive, int* __restrict fired) {
        const double h = 0.1;
        const real pv = std::exp(-h / 20), ps = std::exp(-h / 5), k = 0.1 * 5.0 / (5 - 20) * (std::exp(-h / 5) - std::exp(-h / 20));
        int any = 0;
        for (int i = 0; i < TILE; i++) {
            const real to = real(-70) + real(0.1) * drive[i];
            const real free = to + (v[i] - to) * pv + s[i] * k;
            const real x = left[i] > 0 ? v[i] : free;
            const int f = (x >= real(-50)) & !(left[i] > 0);
            v[i] = f ? real(-65) : x;
            left[i] = f ? 20 : left[i] > 0 ? left[i] - 1 : 0;
            s[i] *= ps;
            fired[i] = f;
            any |= f;
        }
        return any;
    }
};

static double seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

template <class Model> static int run(long n, long steps) {
    std::vector<int> spikes(LIST);
    long total = 0;
    const double began = seconds();
    for (long base = 0; base < n; base += TILE) {
        Model model;
        alignas(64) real drive[TILE];
        alignas(64) int fired[TILE];
        for (int i = 0; i < TILE; i++) drive[i] = Model::low + (Model::high - Model::low) * real(base + i) / real(n - 1);
        for (long step = 0; step < steps; step++) {
            if (!model.step(drive, fired)) continue;
            for (int i = 0; i < TILE; i++)
                if (fired[i] && base + i < n) spikes[total++ & (LIST - 1)] = (int)(base + i);
        }
    }
    printf("%.9g %ld\n", seconds() - began, total);
    return 0;
}

int main(int count, char** words) {
    if (count != 4) return fprintf(stderr, "usage: floor CASE NEURONS STEPS\n"), 2;
    const long n = atol(words[2]), steps = atol(words[3]);
    if (!strcmp(words[1], "izhikevich")) return run<Izhikevich>(n, steps);
    if (!strcmp(words[1], "izhikevich-rk4")) return run<IzhikevichRungeKutta>(n, steps);
    if (!strcmp(words[1], "adex")) return run<AdEx>(n, steps);
    if (!strcmp(words[1], "hodgkin-huxley")) return run<HodgkinHuxley>(n, steps);
    if (!strcmp(words[1], "hodgkin-huxley-strang4")) return run<HodgkinHuxleyExtrapolated>(n, steps);
    if (!strcmp(words[1], "lif")) return run<Leaky>(n, steps);
    return fprintf(stderr, "no such case\n"), 2;
}
