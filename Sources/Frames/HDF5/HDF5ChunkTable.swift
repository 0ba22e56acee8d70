import CHDF5
import Host
import Tensors

/// Where the chunks of a dataset lie in its file and how they are packed: all that is needed to decode them without the HDF5
/// library, and so without its lock.
struct HDF5ChunkTable: Sendable {
  enum Filter: Hashable, Sendable { case shuffle, deflate }

  struct Entry: Sendable {
    var offset: Int
    /// Stored bytes; 0 for a chunk that was never written.
    var byteCount: Int
    /// Bit i: filter i was passed over for this chunk.
    var skipped: UInt32
  }

  /// Extents of the dataset and of one chunk, in elements.
  let extents: [Int]
  let chunk: [Int]
  /// Chunks along each axis.
  let grid: [Int]
  let elementSize: Int
  /// In the order in which they were applied.
  let filters: [Filter]
  /// Row-major over `grid`.
  let entries: [Entry]

  var chunkByteCount: Int { chunk.reduce(elementSize, *) }
}

extension HDF5Dataset {
  /// How rows of a dataset can be had.
  enum Access {
    case direct(HDF5ChunkTable)
    /// Only by the HDF5 library, for this reason.
    case library(reason: String)
  }

  /// The chunk table, where this program can decode what the dataset holds. Cost: some microseconds a chunk, under the lock.
  func access() throws(InputError) -> Access {
    guard case .number(let element) = element else { throw place.error("numbers", found: "\(self.element)") }
    try checkSize()
    return try HDF5Library.sequence { () throws(InputError) -> Access in
      let creation = try HDF5Handle(H5Dget_create_plist(handle.id), .properties, place, "creation properties")
      guard H5Pget_layout(creation.id) == H5D_CHUNKED else { return .library(reason: "it is not chunked") }
      if let reason = try obstacle(creation, element) { return .library(reason: reason) }
      guard let filters = try filters(creation, element.size) else { return .library(reason: "it uses filters other than shuffle and deflate") }
      var chunk = [hsize_t](repeating: 0, count: shape.rank)
      try place.check(unsafe H5Pget_chunk(creation.id, Int32(shape.rank), &chunk), "chunk extents")
      let sizes = chunk.map { Int($0) }, grid = zip(shape.extents, sizes).map { ($0 + $1 - 1) / $1 }
      // Each chunk takes a byte of the file at least; more of them exist in corrupt files only.
      guard let count = Shape(grid).checkedCount, count <= file.byteCount, Shape(sizes + [element.size]).checkedCount != nil else {
        return .library(reason: "its chunks are too many")
      }
      return .direct(HDF5ChunkTable(
        extents: shape.extents, chunk: sizes, grid: grid, elementSize: element.size, filters: filters,
        entries: try entries(count, chunk: chunk, grid: grid)))
    }
  }

  /// Why elements do not lie in the file as they do in memory; `nil` where they do.
  private func obstacle(_ creation: HDF5Handle, _ element: ElementType) throws(InputError) -> String? {
    let type = try HDF5Handle(H5Dget_type(handle.id), .datatype, place, "an element type")
    guard try place.check(H5Tequal(type.id, element.hdf5), "comparable types") > 0 else { return "its elements need conversion" }
    let properties = try HDF5Handle(H5Fget_create_plist(file.handle.id), .properties, place, "file properties")
    var userBlock: hsize_t = 0
    try place.check(unsafe H5Pget_userblock(properties.id, &userBlock), "the size of the user block")
    guard userBlock == 0 else { return "the file has a user block" }
    let number = psi_h5_file_number(handle.id)
    guard number != 0, number == psi_h5_file_number(file.handle.id) else { return "it lies in another file" }
    var options: UInt32 = 0
    try place.check(unsafe H5Pget_chunk_opts(creation.id, &options), "chunk options")
    return options == 0 ? nil : "its chunks at the edge are stored otherwise"
  }

  /// `nil` where the pipeline has others than shuffle and deflate, or those in another order.
  private func filters(_ creation: HDF5Handle, _ elementSize: Int) throws(InputError) -> [HDF5ChunkTable.Filter]? {
    var filters: [HDF5ChunkTable.Filter] = []
    for index in 0..<UInt32(try place.check(H5Pget_nfilters(creation.id), "a number of filters")) {
      var flags: UInt32 = 0, count = 1, settings: UInt32 = 0, configuration: UInt32 = 0
      let filter = try place.check(
        unsafe H5Pget_filter2(creation.id, index, &flags, &count, &settings, 0, nil, &configuration), "a readable filter")
      switch filter {
      case H5Z_FILTER_SHUFFLE where count == 1 && Int(settings) == elementSize: filters.append(.shuffle)
      case H5Z_FILTER_DEFLATE: filters.append(.deflate)
      default: return nil
      }
    }
    return [[], [.shuffle], [.deflate], [.shuffle, .deflate]].contains(filters) ? filters : nil
  }

  private func entries(_ count: Int, chunk: [hsize_t], grid: [Int]) throws(InputError) -> [HDF5ChunkTable.Entry] {
    var entries: [HDF5ChunkTable.Entry] = [], coordinates = [hsize_t](repeating: 0, count: grid.count)
    entries.reserveCapacity(count)
    for number in 0..<count {
      var rest = number
      for axis in grid.indices.reversed() {
        coordinates[axis] = hsize_t(rest % grid[axis]) * chunk[axis]
        rest /= grid[axis]
      }
      var mask: UInt32 = 0, address: haddr_t = 0, size: hsize_t = 0
      try place.check(
        unsafe H5Dget_chunk_info_by_coord(handle.id, coordinates, &mask, &address, &size), "information on chunks")
      // HDF5's undefined address: no such chunk.
      if address == haddr_t.max { size = 0 }
      guard size == 0 || (UInt64(address) <= UInt64(file.byteCount) && size <= UInt64(file.byteCount) - UInt64(address)) else {
        throw HDF5ChunkTable.error(
          file.path, path, coordinates.map { Int($0) }, expected: "\(size) bytes at \(address)", found: "a file of \(file.byteCount) bytes")
      }
      entries.append(.init(offset: size == 0 ? 0 : Int(address), byteCount: Int(size), skipped: mask))
    }
    return entries
  }
}

extension HDF5ChunkTable {
  /// An error at the chunk that begins at `origin`.
  static func error(_ path: String, _ object: String, _ origin: [Int], expected: String, found: String) -> InputError {
    InputError(path: path, place: "\(object), chunk at \(origin)", expected: expected, found: found)
  }
}
