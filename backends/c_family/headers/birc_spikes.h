// Spikes as rows of bits, one for each neuron, and as lists.
namespace birc {

inline int64 count_spikes(const uint64* words, int64 length) {
    int64 total = 0;
    for (int64 i = 0; i < length; i++) total += __builtin_popcountll(words[i]);
    return total;
}

// Sorted by stamp, then neuron.
inline void list_spikes(const uint64* fired, int64 steps, int64 words, int64 start, int32* index, int64* stamp) {
    int64 at = 0;
    for (int64 step = 0; step < steps; step++)
        for (int64 word = 0; word < words; word++)
            for (uint64 bits = fired[step * words + word]; bits; bits &= bits - 1) {
                index[at] = (int32)(word * 64 + __builtin_ctzll(bits));
                stamp[at++] = start + step + 1;
            }
}

}  // namespace birc
