import Foundation
import Host
import Tensors

/// Reads rows of one dataset, from any number of threads at once.
///
/// Chunks are read at their place in the file and decoded here (none, shuffle, deflate), beside libhdf5 and its lock. For all
/// else (other filters, contiguous data, other byte orders, virtual and external data) rows come from the HDF5 library, one
/// thread at a time, and `libraryReason` says why. The file must not change while it is read.
public final class HDF5RowReader<Number: HDF5Number>: Sendable {
  public let path: String
  public let dataset: String
  public let shape: Shape
  /// Why the HDF5 library reads; `nil` where chunks are decoded directly.
  public let libraryReason: String?
  private let source: HDF5ChunkSource?

  /// Opens a dataset whose elements are stored as `Number`, along whose first axis rows are counted.
  ///
  /// - Parameter keepsOpen: `false` opens the file for every read, for programs that read from more files than may be open.
  public init(opening path: String, dataset name: String, keepsOpen: Bool = true) throws(InputError) {
    let file = try HDF5File(opening: path), opened = try file.dataset(name)
    guard opened.element == .number(Number.element) else {
      throw opened.place.error("elements of type \(Number.element)", found: "\(opened.element)")
    }
    guard opened.shape.rank > 0 else { throw opened.place.error("rows", found: "a single value") }
    (self.path, dataset, shape) = (path, name, opened.shape)
    switch try opened.access() {
    case .direct(let table): (source, libraryReason) = (try HDF5ChunkSource(path, name, table, keepsOpen: keepsOpen), nil)
    case .library(let reason): (source, libraryReason) = (nil, reason)
    }
    try file.close()
  }

  /// One row: `[N, ...] -> [...]`.
  public func row(_ index: Int) throws(InputError) -> [Number] { try rows(index..<index + 1) }

  /// Rows of the first axis, row-major. Throws where a chunk is damaged or was never written, naming it; traps where there are
  /// no such rows. Cost: one read and one decoding for every chunk that the rows touch.
  public func rows(_ rows: Range<Int>) throws(InputError) -> [Number] {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= shape[0], "no rows \(rows) in \(shape)")
    guard let source else {
      let file = try HDF5File(opening: path), values: [Number] = try file.dataset(dataset).values(rows: rows)
      try file.close()
      return values
    }
    let count = shape.extents.dropFirst().reduce(rows.count, *)
    var failure: InputError?
    let numbers = unsafe [Number](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(InputError) {
        try unsafe source.read(rows, into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
        filled = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return numbers
  }
}
