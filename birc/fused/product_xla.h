// The products as two custom calls of XLA.
#include "xla/ffi/api/ffi.h"

namespace {

namespace ffi = xla::ffi;
typedef ffi::Buffer<ffi::F32> Reals;
typedef ffi::Buffer<ffi::S32> Words;

ffi::Error Ahead(int64_t threads, Reals x, Reals w, Reals b, ffi::Result<Reals> y, ffi::Result<Words> bits, ffi::Result<Words> whole) {
    const auto rows = x.dimensions()[0], features = x.dimensions()[1];
    uint32* const marks = (uint32*)bits->typed_data();
    const int all = whole->typed_data()[0] = birc_product_bits(rows, features, threads, x.typed_data(), marks);
    const float* const values = all ? nullptr : x.typed_data();
    birc_product(rows, features, w.dimensions()[1], threads, marks, values, w.typed_data(), b.typed_data(), y->typed_data());
    return ffi::Error::Success();
}

ffi::Error Back(int64_t threads, Reals x, Words bits, Words whole, Reals up, ffi::Result<Reals> bar) {
    const auto size = bar->dimensions();
    const float* const values = whole.typed_data()[0] ? nullptr : x.typed_data();
    birc_product_back(x.dimensions()[0], size[0], size[1], threads, (const uint32*)bits.typed_data(), values, up.typed_data(), bar->typed_data());
    return ffi::Error::Success();
}

}  // namespace

#pragma GCC visibility push(default)
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    birc_xla_product, Ahead,
    ffi::Ffi::Bind().Attr<int64_t>("threads").Arg<Reals>().Arg<Reals>().Arg<Reals>().Ret<Reals>().Ret<Words>().Ret<Words>()
);
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    birc_xla_product_back, Back, ffi::Ffi::Bind().Attr<int64_t>("threads").Arg<Reals>().Arg<Words>().Arg<Words>().Arg<Reals>().Ret<Reals>()
);
#pragma GCC visibility pop
