import Frames
import Host
import Tensors

/// One shard, open for reading.
struct ShardReader: Sendable {
  private let path: String
  private let pixels: HDF5RowReader<Float>
  private let weight: HDF5RowReader<UInt8>

  /// Throws where the arrays are not `[N,height,width]`.
  init(opening path: String, height: Int, width: Int, keepsOpen: Bool) throws(InputError) {
    self.path = path
    pixels = try HDF5RowReader(opening: path, dataset: "/image", keepsOpen: keepsOpen)
    weight = try HDF5RowReader(opening: path, dataset: "/weight", keepsOpen: keepsOpen)
    for (dataset, shape) in [("/image", pixels.shape), ("/weight", weight.shape)] {
      guard shape.rank == 3, shape[1] == height, shape[2] == width else {
        throw InputError(path: path, place: dataset, expected: "[N×\(height)×\(width)]", found: "\(shape)")
      }
    }
  }

  func image(_ row: Int) throws(InputError) -> StoredImage {
    guard row >= 0, row < pixels.shape[0], row < weight.shape[0] else {
      throw InputError(path: path, place: "row \(row)", expected: "below \(pixels.shape[0])", found: "\(row)")
    }
    let shape = Shape([pixels.shape[1], pixels.shape[2]])
    return StoredImage(pixels: Tensor(shape, try pixels.row(row)), weight: Tensor(shape, try weight.row(row)))
  }

  var libraryReasons: [(String, String)] {
    [("/image", pixels.libraryReason), ("/weight", weight.libraryReason)].compactMap { dataset, reason in
      reason.map { ("\(path): \(dataset)", $0) }
    }
  }
}
