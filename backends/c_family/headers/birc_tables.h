// Piecewise polynomials in place of functions of one number x. The piece of x, and its distance from the piece's centre over its width,
// serve all functions. The outermost pieces go on behind the ends.
namespace birc {

template <class T> struct Table {
    T low, first, width, inverse, last;  // where the pieces begin; centre of the first; width of one; 1 / width; number of the last
    int64 pieces, degree;
    const T* from;  // [functions][degree + 1][pieces], lowest power first

    // `given` is a job's: low, width, pieces, degree, from.
    template <class Given> INLINE explicit Table(const Given& given)
        : low(T(given.low)),
          first(T(given.low + given.width / 2)),
          width(T(given.width)),
          inverse(T(1 / given.width)),
          last(T(given.pieces - 1)),
          pieces(given.pieces),
          degree(given.degree),
          from((const T*)given.from) {}

    INLINE typename Real<T>::integer piece(T x) const {
        T place = (x - low) * inverse;
        place = place > T(0) ? place : T(0);
        return (typename Real<T>::integer)(place < last ? place : last);
    }

    INLINE T distance(T x, typename Real<T>::integer piece) const { return (x - (T(piece) * width + first)) * inverse; }

    INLINE T value(int function, typename Real<T>::integer piece, T u) const {
        const T* at = from + (function * (degree + 1) + degree) * pieces + piece;
        T sum = *at;
        for (int64 power = degree; power > 0; power--) sum = fma(sum, u, *(at -= pieces));
        return sum;
    }
};

}  // namespace birc
