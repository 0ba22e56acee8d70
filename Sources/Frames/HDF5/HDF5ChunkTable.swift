import CHDF5
import Host
import Tensors

/// Where the chunks of a dataset lie in its file and how they are packed: all that is needed to decode them without the HDF5
/// library, and so without its lock.
struct HDF5ChunkTable: Sendable {
  enum Filter: Hashable, Sendable {
    case shuffle, deflate, lzf, lz4
    /// Elements a block, where the chunk itself does not tell.
    case bitshuffle(block: Int, isPacked: Bool)
  }

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
      guard let filters = try filters(creation, element.size) else { return .library(reason: "it uses other filters than this program decodes itself") }
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

  /// `nil` where the pipeline has others than shuffle and then one of deflate, LZF, LZ4 and bitshuffle.
  private func filters(_ creation: HDF5Handle, _ elementSize: Int) throws(InputError) -> [HDF5ChunkTable.Filter]? {
    var filters: [HDF5ChunkTable.Filter] = []
    for index in 0..<UInt32(try place.check(H5Pget_nfilters(creation.id), "a number of filters")) {
      let (filter, settings) = try self.filter(index, of: creation)
      switch filter {
      case H5Z_FILTER_SHUFFLE where settings.first == UInt32(elementSize): filters.append(.shuffle)
      case H5Z_FILTER_DEFLATE: filters.append(.deflate)
      case 32000: filters.append(.lzf)
      case 32004: filters.append(.lz4)
      case 32008 where settings.count >= 3 && settings[2] == UInt32(elementSize):
        let compression = settings.count > 4 ? settings[4] : 0
        guard compression == 0 || compression == 2 else { return nil }
        filters.append(.bitshuffle(block: settings.count > 3 ? Int(settings[3]) : 0, isPacked: compression == 2))
      default: return nil
      }
    }
    return filters.count <= 2 && filters.lastIndex(of: .shuffle) ?? 0 == 0 && (filters.count < 2 || filters[0] == .shuffle) ? filters : nil
  }

  /// Number and settings of one filter of the pipeline.
  private func filter(_ index: UInt32, of creation: HDF5Handle) throws(InputError) -> (number: Int32, settings: [UInt32]) {
    var flags: UInt32 = 0, settings = [UInt32](repeating: 0, count: 16), count = settings.count, configuration: UInt32 = 0
    let number = try place.check(
      unsafe H5Pget_filter2(creation.id, index, &flags, &count, &settings, 0, nil, &configuration), "a readable filter")
    return (number, Array(settings.prefix(count)))
  }

  /// Throws where a filter of this dataset cannot be undone here, naming it.
  func checkFilters() throws(InputError) {
    try HDF5Library.sequence { () throws(InputError) in
      let creation = try HDF5Handle(H5Dget_create_plist(handle.id), .properties, place, "creation properties")
      guard H5Pget_layout(creation.id) == H5D_CHUNKED else { return }
      for index in 0..<UInt32(try place.check(H5Pget_nfilters(creation.id), "a number of filters")) {
        let (number, settings) = try filter(index, of: creation)
        let isOtherBitshuffle = number == 32008 && settings.count > 4 && settings[4] != 0 && settings[4] != 2
        guard isOtherBitshuffle || H5Zfilter_avail(number) <= 0 else { continue }
        psi_h5_clear_errors()
        let known = isOtherBitshuffle ? "bitshuffle with Zstandard" : Self.filterNames[number] ?? "unknown"
        throw place.error(
          "filters deflate, shuffle, fletcher32, szip, n-bit, scale-offset, lzf, lz4 and bitshuffle with or without lz4, or one of HDF5's plugins here",
          found: "filter \(number) (\(known))")
      }
    }
  }

  /// Registered filters that others write: The HDF Group, registered filter plugins.
  private static let filterNames: [Int32: String] = [
    4: "szip", 305: "LZO", 307: "bzip2", 32001: "Blosc", 32002: "MAFISC", 32005: "CBF", 32006: "JPEG-XR", 32009: "SPDP", 32010: "LPC-Rice",
    32013: "ZFP", 32015: "Zstandard", 32017: "SZ", 32019: "JPEG", 32022: "BitGroom", 32023: "Granular BitRound", 32024: "SZ3", 32026: "Blosc2",
    32028: "VBZ",
  ]

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
