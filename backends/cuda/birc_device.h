// Copies of host arrays in the device's memory, given back at the end; after the first error nothing more is done.
namespace birc {

template <int MOST> class Arena {
  public:
    ~Arena() {
        while (held > 0) cudaFree(memory[--held]);
    }

    // Room for some values, all bits zero; at least one, so that there is an address.
    template <class T> T* room(int64 count) {
        void* address = nullptr;
        const size_t bytes = sizeof(T) * size_t(count > 0 ? count : 1);
        check(error == cudaSuccess ? cudaMalloc(&address, bytes) : error);
        if (error == cudaSuccess) memory[held++] = address;
        if (error == cudaSuccess) check(cudaMemset(address, 0, bytes));
        return static_cast<T*>(address);
    }

    template <class T> T* copy(const T* from, int64 count) {
        T* address = room<T>(count);
        if (error == cudaSuccess && count > 0) check(cudaMemcpy(address, from, sizeof(T) * size_t(count), cudaMemcpyHostToDevice));
        return address;
    }

    template <class T> void fetch(T* to, const T* from, int64 count) {
        if (error == cudaSuccess && count > 0) check(cudaMemcpy(to, from, sizeof(T) * size_t(count), cudaMemcpyDeviceToHost));
    }

    void check(cudaError_t code) {
        if (error == cudaSuccess) error = code;
    }

    cudaError_t error = cudaSuccess;

  private:
    void* memory[MOST];
    int held = 0;
};

}  // namespace birc
