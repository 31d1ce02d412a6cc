// The products as two custom calls of XLA.
#include "xla/ffi/api/ffi.h"

namespace {

namespace ffi = xla::ffi;
typedef ffi::Buffer<ffi::F32> Array;
typedef ffi::Result<Array> Made;

ffi::Error Ahead(int64_t threads, Array x, Array w, Array b, Made y) {
    const auto size = w.dimensions();
    birc_product(x.dimensions()[0], size[0], size[1], threads, x.typed_data(), nullptr, w.typed_data(), b.typed_data(), y->typed_data());
    return ffi::Error::Success();
}

ffi::Error Back(int64_t threads, Array x, Array up, Made bar) {
    const auto size = bar->dimensions();
    birc_product_back(x.dimensions()[0], size[0], size[1], threads, x.typed_data(), nullptr, up.typed_data(), bar->typed_data());
    return ffi::Error::Success();
}

}  // namespace

#pragma GCC visibility push(default)
XLA_FFI_DEFINE_HANDLER_SYMBOL(birc_xla_product, Ahead, ffi::Ffi::Bind().Attr<int64_t>("threads").Arg<Array>().Arg<Array>().Arg<Array>().Ret<Array>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(birc_xla_product_back, Back, ffi::Ffi::Bind().Attr<int64_t>("threads").Arg<Array>().Arg<Array>().Ret<Array>());
#pragma GCC visibility pop
