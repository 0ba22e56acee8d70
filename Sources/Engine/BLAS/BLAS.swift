import COpenBLAS
import Tensors

/// Matrix products by OpenBLAS, row-major. The only place of the program that imports it.
///
/// The threads are those of the library. Its OpenMP build shares one pool with oneDNN and is the one to install;
/// `configuration` tells which build runs.
public enum BLAS {
  /// C = alpha·op(A)·op(B) + beta·C with op(A) `[rows,inner]`, op(B) `[inner,columns]` and C `[rows,columns]`.
  ///
  /// `a` is stored as `[inner,rows]` when `transposingA`, `b` as `[columns,inner]` when `transposingB`.
  /// With `beta` 0 the old content of `c` is not read. Traps when a matrix does not hold exactly its elements.
  public static func gemm(
    rows: Int, columns: Int, inner: Int, alpha: Float = 1, _ a: Span<Float>, transposingA: Bool = false,
    _ b: Span<Float>, transposingB: Bool = false, beta: Float = 0, into c: inout [Float]
  ) {
    check(rows, columns, inner, a.count, b.count, c.count)
    guard rows > 0, columns > 0 else { return }
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe cblas_sgemm(
            CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(inner), alpha, a.baseAddress, stride(transposingA ? rows : inner),
            b.baseAddress, stride(transposingB ? inner : columns), beta, c.baseAddress, stride(columns))
        }
      }
    }
  }

  /// The same in double precision.
  public static func gemm(
    rows: Int, columns: Int, inner: Int, alpha: Double = 1, _ a: Span<Double>, transposingA: Bool = false,
    _ b: Span<Double>, transposingB: Bool = false, beta: Double = 0, into c: inout [Double]
  ) {
    check(rows, columns, inner, a.count, b.count, c.count)
    guard rows > 0, columns > 0 else { return }
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        unsafe c.withUnsafeMutableBufferPointer { c in
          unsafe cblas_dgemm(
            CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans, transposingB ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(inner), alpha, a.baseAddress, stride(transposingA ? rows : inner),
            b.baseAddress, stride(transposingB ? inner : columns), beta, c.baseAddress, stride(columns))
        }
      }
    }
  }

  /// op(A)·op(B) of two matrices. Traps unless both have rank 2 and their inner extents agree.
  public static func product(
    _ a: Tensor<Float>, transposingA: Bool = false, _ b: Tensor<Float>, transposingB: Bool = false
  ) -> Tensor<Float> {
    let (rows, columns, inner) = extents(a.shape, transposingA, b.shape, transposingB)
    var c = [Float](repeating: 0, count: rows * columns)
    gemm(
      rows: rows, columns: columns, inner: inner, a.elements.span, transposingA: transposingA, b.elements.span,
      transposingB: transposingB, into: &c)
    return Tensor([rows, columns], c)
  }

  /// The same in double precision.
  public static func product(
    _ a: Tensor<Double>, transposingA: Bool = false, _ b: Tensor<Double>, transposingB: Bool = false
  ) -> Tensor<Double> {
    let (rows, columns, inner) = extents(a.shape, transposingA, b.shape, transposingB)
    var c = [Double](repeating: 0, count: rows * columns)
    gemm(
      rows: rows, columns: columns, inner: inner, a.elements.span, transposingA: transposingA, b.elements.span,
      transposingB: transposingB, into: &c)
    return Tensor([rows, columns], c)
  }

  /// How many threads the library uses for one product.
  public static var threadCount: Int { Int(openblas_get_num_threads()) }

  /// Sets the number of threads for the whole process.
  public static func useThreads(_ count: Int) {
    precondition(count > 0, "\(count) threads")
    openblas_set_num_threads(Int32(count))
  }

  /// Version, build options and kernel family, such as `OpenBLAS 0.3.21 ... USE_OPENMP SkylakeX`.
  public static var configuration: String {
    guard let text = unsafe openblas_get_config(), let core = unsafe openblas_get_corename() else { return "OpenBLAS" }
    return unsafe String(cString: text).split(separator: " ").joined(separator: " ") + ", kernels " + String(cString: core)
  }

  /// A leading dimension; the library wants at least 1 even where a matrix is empty.
  private static func stride(_ extent: Int) -> Int32 { Int32(max(1, extent)) }

  private static func check(_ rows: Int, _ columns: Int, _ inner: Int, _ a: Int, _ b: Int, _ c: Int) {
    let limit = Int(Int32.max)
    precondition(
      rows >= 0 && columns >= 0 && inner >= 0 && rows <= limit && columns <= limit && inner <= limit,
      "gemm extents \(rows)×\(inner)·\(inner)×\(columns) are negative or beyond 32 bits")
    precondition(a == rows * inner, "\(a) elements are no \(rows)×\(inner) matrix")
    precondition(b == inner * columns, "\(b) elements are no \(inner)×\(columns) matrix")
    precondition(c == rows * columns, "\(c) elements are no \(rows)×\(columns) matrix")
  }

  private static func extents(_ a: Shape, _ transposingA: Bool, _ b: Shape, _ transposingB: Bool) -> (Int, Int, Int) {
    precondition(a.rank == 2 && b.rank == 2, "\(a)·\(b) is no product of matrices")
    let inner = a[transposingA ? 0 : 1]
    precondition(
      inner == b[transposingB ? 1 : 0],
      "\(a)\(transposingA ? "ᵀ" : "")·\(b)\(transposingB ? "ᵀ" : "") has unequal inner extents")
    return (a[transposingA ? 1 : 0], b[transposingB ? 0 : 1], inner)
  }
}
