// Types, and arrays that the runner hands over. A frame that runs elsewhere than on the host says what INLINE means there.
typedef __INT64_TYPE__ int64;
typedef __UINT64_TYPE__ uint64;
typedef __INT32_TYPE__ int32;
typedef __UINT32_TYPE__ uint32;
typedef unsigned char uint8;
#ifndef INLINE
#define INLINE inline
#endif

namespace birc {

struct Input {
    const double* from;
    int64 row, column;  // strides: 0 where one value serves all steps, or all neurons
};

struct Arrivals {  // of one event port, grouped by tile (a tile may be a single neuron); within a tile in the order in which they act
    const int64* begin;
    const int32* step;
    const int32* lane;
    const double* payload;
};

}  // namespace birc
