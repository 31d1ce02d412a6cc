// The floor of networks bound as birc is: results are those of NumPy to the bit. So products and sums are rounded one by one, a decay adds what
// goes (which keeps more digits than a factor near 1), and what comes to a neuron in a step is summed before it is added.
//   g++ -std=c++17 -O3 -march=native -ffp-contract=off -fno-math-errno -fno-trapping-math -DREAL=float floor_rounded.cpp -o floor
#define main floor_main
#include "floor_network.cpp"
#undef main

struct Rounded : Cuba {
    Array<real> excited, inhibited;  // what comes in a step
    Rounded(long n, std::mt19937_64& draw) : Cuba(n, draw), excited(n), inhibited(n) {}
    int step(long base, int* __restrict fired) {
        real* __restrict V = v.at(base);
        real* __restrict E = e.at(base);
        real* __restrict I = i.at(base);
        int* __restrict L = left.at(base);
        const double h = 0.1, m = std::exp(-h / 20);
        const real dv = std::expm1(-h / 20), de = std::expm1(-h / 5), di = std::expm1(-h / 10);
        const real ke = 5.0 / (5 - 20) * (std::exp(-h / 5) - m), ki = 10.0 / (10 - 20) * (std::exp(-h / 10) - m), rest = -49 * (1 - m);
        int any = 0;
        for (int k = 0; k < CHUNK; k++) {
            const int held = L[k] > 0;
            const real free = V[k] + (E[k] * ke + I[k] * ki + V[k] * dv + rest);
            const real x = held ? V[k] : free;
            const int f = x > real(-50);
            V[k] = f ? real(-60) : x;
            L[k] = f ? 50 : L[k] - held;
            E[k] += E[k] * de;
            I[k] += I[k] * di;
            fired[k] = f;
            any |= f;
        }
        return any;
    }
};

static int rounded(long n, long steps, Rows (*wire)(long, std::mt19937_64&)) {
    std::mt19937_64 draw(1);
    double began = seconds();
    const Rows rows = wire(n, draw);
    const double wiring = seconds() - began;
    Rounded model(chunks(n), draw);
    Spikes spikes;
    alignas(64) int fired[CHUNK];
    const long excitatory = n / 5 * 4;
    const int32_t* __restrict target = rows.target.data();
    began = seconds();
    for (long step = 0, sent = 0, settled = 0; step < steps; step++) {
        for (long base = 0; base < n; base += CHUNK)
            if (model.step(base, fired)) spikes.read(fired, base, n);
        for (; sent < spikes.total; sent++) {
            const int s = spikes.index(sent);
            if (sent + AHEAD < spikes.total) rows.fetch(spikes.index(sent + AHEAD));
            real* __restrict sum = s < excitatory ? model.excited.at(0) : model.inhibited.at(0);
            const real w = s < excitatory ? Rounded::excite : Rounded::inhibit;
            for (int64_t k = rows.first[s]; k < rows.first[s + 1]; k++) sum[target[k]] += w;
        }
        for (; settled < spikes.total; settled++) {
            const int s = spikes.index(settled);
            real* __restrict g = s < excitatory ? model.e.at(0) : model.i.at(0);
            real* __restrict sum = s < excitatory ? model.excited.at(0) : model.inhibited.at(0);
            for (int64_t k = rows.first[s]; k < rows.first[s + 1]; k++) {
                g[target[k]] += sum[target[k]];
                sum[target[k]] = 0;
            }
        }
    }
    say(seconds() - began, spikes.total, wiring, (long)rows.target.size(), rows.bytes());
    return 0;
}

int main(int count, char** words) {
    if (count != 4) return fprintf(stderr, "usage: floor CASE NEURONS STEPS\n"), 2;
    const long n = atol(words[2]), steps = atol(words[3]);
    if (!strcmp(words[1], "cuba")) return rounded(n, steps, random_rows);
    if (!strcmp(words[1], "cuba-fixed")) return rounded(n, steps, fixed_rows);
    return fprintf(stderr, "no such case\n"), 2;
}
