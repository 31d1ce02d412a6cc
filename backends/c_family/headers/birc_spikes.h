// From rows of bits, one for each neuron, to lists of spikes.
extern "C" __attribute__((visibility("default"))) int64 birc_count(const uint64* words, int64 length) {
    int64 total = 0;
    for (int64 i = 0; i < length; i++) total += __builtin_popcountll(words[i]);
    return total;
}

// Spikes of `steps` rows of bits, sorted by stamp, then neuron.
extern "C" __attribute__((visibility("default"))) void birc_list(const uint64* fired, int64 steps, int64 words, int64 start, int32* index,
                                                                 int64* stamp) {
    int64 at = 0;
    for (int64 step = 0; step < steps; step++)
        for (int64 word = 0; word < words; word++)
            for (uint64 bits = fired[step * words + word]; bits; bits &= bits - 1) {
                index[at] = (int32)(word * 64 + __builtin_ctzll(bits));
                stamp[at++] = start + step + 1;
            }
}
