// The unit as two custom calls of XLA. Arrays come in the order of `Sweep`; an empty one stands for null.
#include "xla/ffi/api/ffi.h"

namespace {

namespace ffi = xla::ffi;

template <int COUNT> struct From {  // some of the arguments
    const float* at[COUNT + 1];
    int64 each[COUNT + 1];
    From(ffi::RemainingArgs args, int first) {
        for (int i = 0; i < COUNT; i++) {
            const auto buffer = *args.get<ffi::AnyBuffer>(first + i);
            const int64 size = (int64)buffer.element_count();
            at[i] = size ? (const float*)buffer.untyped_data() : nullptr;
            each[i] = size > 1;
        }
    }
};

template <int COUNT> struct To {  // some of the results
    float* at[COUNT + 1];
    To(ffi::RemainingRets rets, int first) {
        for (int i = 0; i < COUNT; i++) {
            auto buffer = *rets.get<ffi::AnyBuffer>(first + i);
            at[i] = buffer->element_count() ? (float*)buffer->untyped_data() : nullptr;
        }
    }
};

ffi::Error Ahead(int64_t outer, int64_t steps, int64_t inner, int64_t threads, ffi::RemainingArgs args, ffi::RemainingRets rets) {
    const From<INPUTS> inputs(args, 0);
    const From<SLOTS> initial(args, INPUTS);
    const From<BINDS> bind(args, INPUTS + SLOTS);
    const From<1> mask(args, INPUTS + SLOTS + BINDS);
    const To<SEEN> seen(rets, 0);
    const To<SLOTS> last(rets, SEEN);
    const Sweep sweep = {outer, steps, inner, threads, inputs.at, initial.at, bind.at, bind.each, *mask.at, seen.at, last.at,
                         nullptr, nullptr, nullptr, nullptr, nullptr};
    birc_ahead(&sweep);
    return ffi::Error::Success();
}

ffi::Error Back(int64_t outer, int64_t steps, int64_t inner, int64_t threads, ffi::RemainingArgs args, ffi::RemainingRets rets) {
    const From<INPUTS> inputs(args, 0);
    const From<SLOTS> initial(args, INPUTS);
    const From<BINDS> bind(args, INPUTS + SLOTS);
    const From<1> mask(args, INPUTS + SLOTS + BINDS);
    const From<SEEN> up(args, INPUTS + SLOTS + BINDS + 1);
    const From<SLOTS> up_last(args, INPUTS + SLOTS + BINDS + 1 + SEEN);
    const To<INPUTS> input_bars(rets, 0);
    const To<SLOTS> initial_bars(rets, INPUTS);
    const To<WANTED> bind_bars(rets, INPUTS + SLOTS);
    const Sweep sweep = {outer, steps, inner, threads, inputs.at, initial.at, bind.at, bind.each, *mask.at, nullptr, nullptr,
                         up.at, up_last.at, input_bars.at, initial_bars.at, bind_bars.at};
    birc_back(&sweep);
    return ffi::Error::Success();
}

#define CALL ffi::Ffi::Bind().Attr<int64_t>("outer").Attr<int64_t>("steps").Attr<int64_t>("inner").Attr<int64_t>("threads").RemainingArgs().RemainingRets()

}  // namespace

#pragma GCC visibility push(default)
XLA_FFI_DEFINE_HANDLER_SYMBOL(birc_xla_ahead, Ahead, CALL);
XLA_FFI_DEFINE_HANDLER_SYMBOL(birc_xla_back, Back, CALL);
#pragma GCC visibility pop
