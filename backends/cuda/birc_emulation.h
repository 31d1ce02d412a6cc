// CUDA's words with a sequential meaning, for a C++ compiler: a launch runs every thread to its end, one after another, blocks and
// threads in an order that changes from launch to launch. Fit for kernels whose threads do not wait for one another. Device memory is
// host memory full of a pattern, so that what reads it before it is written does not find zeros.
#include <stdlib.h>
#include <string.h>

#define __global__ static
#define __device__
#define __host__

typedef enum { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2 } cudaError_t;
typedef enum { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 } cudaMemcpyKind;

struct uint3 {
    unsigned int x, y, z;
};

struct dim3 : uint3 {
    dim3(unsigned int x = 1, unsigned int y = 1, unsigned int z = 1) : uint3{x, y, z} {}
};

static thread_local uint3 threadIdx, blockIdx;
static thread_local dim3 blockDim, gridDim;

static inline cudaError_t cudaMalloc(void** address, size_t bytes) {
    *address = malloc(bytes);
    if (*address == nullptr) return cudaErrorMemoryAllocation;
    memset(*address, 0xA5, bytes);
    return cudaSuccess;
}

static inline cudaError_t cudaFree(void* address) {
    free(address);
    return cudaSuccess;
}

static inline cudaError_t cudaMemset(void* address, int value, size_t bytes) {
    memset(address, value, bytes);
    return cudaSuccess;
}

static inline cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
    memcpy(to, from, bytes);
    return cudaSuccess;
}

static inline cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }

static inline const char* cudaGetErrorString(cudaError_t code) {
    return code == cudaSuccess ? "no error" : code == cudaErrorMemoryAllocation ? "out of memory" : "invalid argument";
}

static inline unsigned int atomicOr(unsigned int* address, unsigned int value) {
    const unsigned int before = *address;
    *address |= value;
    return before;
}

namespace birc_emulation {

static thread_local unsigned long long seed = 0x9E3779B97F4A7C15u;

// The numbers below `count` in some order.
static inline unsigned int* shuffled(unsigned int count) {
    unsigned int* order = static_cast<unsigned int*>(malloc(sizeof(unsigned int) * count));
    for (unsigned int i = 0; order != nullptr && i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const unsigned int j = static_cast<unsigned int>((seed >> 33) % (i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

}  // namespace birc_emulation

template <class Argument>
static cudaError_t cudaLaunchKernel(void (*kernel)(Argument), dim3 grid, dim3 block, void** arguments, size_t = 0, void* = nullptr) {
    if (grid.x == 0 || block.x == 0 || block.x > 1024) return cudaErrorInvalidValue;
    unsigned int* blocks = birc_emulation::shuffled(grid.x);
    unsigned int* threads = birc_emulation::shuffled(block.x);
    const bool ready = blocks != nullptr && threads != nullptr;
    gridDim = grid;
    blockDim = block;
    for (unsigned int i = 0; ready && i < grid.x; i++)
        for (unsigned int j = 0; j < block.x; j++) {
            blockIdx = {blocks[i], 0, 0};
            threadIdx = {threads[(i + j) % block.x], 0, 0};
            kernel(*static_cast<Argument*>(arguments[0]));
        }
    free(blocks);
    free(threads);
    return ready ? cudaSuccess : cudaErrorMemoryAllocation;
}
