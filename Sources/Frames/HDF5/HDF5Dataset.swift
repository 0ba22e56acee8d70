import CHDF5
import Host
import Tensors

/// What the elements of a dataset are.
public enum HDF5Element: Hashable, Sendable {
  case number(ElementType)
  case string
  /// Compound, reference, opaque and other classes that hold no plain numbers.
  case other
}

/// One dataset of an open file.
public final class HDF5Dataset {
  public let path: String
  public let element: HDF5Element
  /// The current extents, outermost first; `[]` for a single value.
  public private(set) var shape: Shape
  /// The same for all links to one dataset.
  let identity: UInt64
  let file: HDF5File
  let handle: HDF5Handle

  /// Takes an open dataset; call inside an HDF5 sequence.
  init(file: HDF5File, path: String, handle: HDF5Handle) throws(InputError) {
    self.file = file
    self.path = path
    self.handle = handle
    let place = file.place(path)
    shape = try Self.extents(handle, place)
    element = try Self.element(handle, place)
    var address: UInt64 = 0
    try place.check(unsafe psi_h5_object(handle.id, ".", &address), "a dataset")
    identity = address
    try checkChunks()
  }

  var place: HDF5Place { file.place(path) }

  /// Chunks that are larger than an axis of fixed extent exist in corrupt files only, and HDF5 1.10 would copy beyond them.
  private func checkChunks() throws(InputError) {
    let properties = try HDF5Handle(H5Dget_create_plist(handle.id), .properties, place, "creation properties")
    guard H5Pget_layout(properties.id) == H5D_CHUNKED else { return }
    let space = try HDF5Handle(H5Dget_space(handle.id), .dataspace, place, "a data space")
    var chunk = [hsize_t](repeating: 0, count: 33), limits = [hsize_t](repeating: 0, count: 33)
    let rank = Int(try place.check(unsafe H5Pget_chunk(properties.id, 33, &chunk), "chunk extents"))
    let isLikeSpace = rank == shape.rank && rank > 0
    try place.check(unsafe H5Sget_simple_extent_dims(space.id, nil, &limits), "extents")
    guard isLikeSpace, zip(chunk, limits).prefix(rank).allSatisfy({ $0 > 0 && $0 <= $1 }) else {
      throw place.error("chunks within \(limits.prefix(max(rank, shape.rank)))", found: "chunks of \(chunk.prefix(max(rank, 0)))")
    }
  }

  private static func extents(_ handle: HDF5Handle, _ place: HDF5Place) throws(InputError) -> Shape {
    let space = try HDF5Handle(H5Dget_space(handle.id), .dataspace, place, "a data space")
    guard H5Sget_simple_extent_type(space.id) != H5S_NULL else { return [0] }
    let rank = Int(try place.check(H5Sget_simple_extent_ndims(space.id), "a data space with a rank"))
    var extents = [hsize_t](repeating: 0, count: max(rank, 1))
    try place.check(unsafe H5Sget_simple_extent_dims(space.id, &extents, nil), "extents")
    var shape = Shape([])
    for extent in extents.prefix(rank) {
      guard let extent = Int(exactly: extent) else { throw place.error("extents below 2^63", found: "\(extents)") }
      shape.extents.append(extent)
    }
    guard shape.checkedCount != nil else { throw place.error("fewer than 2^63 elements", found: "shape \(shape)") }
    return shape
  }

  private static func element(_ handle: HDF5Handle, _ place: HDF5Place) throws(InputError) -> HDF5Element {
    let type = try HDF5Handle(H5Dget_type(handle.id), .datatype, place, "an element type")
    return try element(of: type, place)
  }

  static func element(of type: HDF5Handle, _ place: HDF5Place) throws(InputError) -> HDF5Element {
    switch H5Tget_class(type.id) {
    case H5T_STRING: return .string
    case H5T_INTEGER: return integer(type).map { .number($0) } ?? .other
    case H5T_ENUM:
      // h5py stores Booleans so; their numbers are what counts here.
      let base = try HDF5Handle(H5Tget_super(type.id), .datatype, place, "the base of an enumeration")
      guard H5Tget_order(base.id) == H5T_ORDER_LE || H5Tget_size(base.id) == 1 else { return .other }
      return integer(base).map { .number($0) } ?? .other
    case H5T_FLOAT:
      switch H5Tget_size(type.id) {
      // Half precision widens exactly.
      case 2, 4: return .number(.float32)
      case 8: return .number(.float64)
      default: return .other
      }
    default: return .other
    }
  }

  private static func integer(_ type: HDF5Handle) -> ElementType? {
    let isSigned = H5Tget_sign(type.id) == H5T_SGN_2
    switch H5Tget_size(type.id) {
    case 1: return isSigned ? .int8 : .uint8
    case 2: return isSigned ? .int16 : .uint16
    case 4: return isSigned ? .int32 : .uint32
    case 8: return isSigned ? .int64 : .uint64
    default: return nil
    }
  }

  /// Grows or shrinks along the first axis; the rest of the shape stays.
  func resize(rows: Int) throws(InputError) {
    var extents = shape.extents.map { hsize_t($0) }
    extents[0] = hsize_t(rows)
    try place.check(unsafe H5Dset_extent(handle.id, extents), "a dataset that can grow along its first axis")
    shape.extents[0] = rows
  }
}

extension HDF5Dataset {
  /// All elements, row-major, little-endian. Throws where they are no numbers or more than the file can hold.
  public func bytes() throws(InputError) -> [UInt8] {
    try bytes(as: try numbers(), rows: nil)
  }

  /// Row `index` of the first axis: `[N, ...] -> [...]`, little-endian.
  public func bytes(row index: Int) throws(InputError) -> [UInt8] {
    try bytes(rows: index..<index + 1)
  }

  /// Rows of the first axis, little-endian. Traps where there are no such rows.
  public func bytes(rows: Range<Int>) throws(InputError) -> [UInt8] {
    try bytes(as: try numbers(), rows: rows)
  }

  /// All elements as they are stored. Throws where the stored type is another: nothing is converted or clipped.
  public func values<Number: HDF5Number>(as type: Number.Type = Number.self) throws(InputError) -> [Number] {
    try expect(Number.element)
    return Number.array(littleEndian: try bytes())
  }

  /// Rows of the first axis as they are stored. Throws where the stored type is another.
  public func values<Number: HDF5Number>(rows: Range<Int>, as type: Number.Type = Number.self) throws(InputError) -> [Number] {
    try expect(Number.element)
    return Number.array(littleEndian: try bytes(rows: rows))
  }

  /// All elements converted to Double: exact but for integers beyond 2^53.
  public func doubles() throws(InputError) -> [Double] {
    try numbers().doubles(littleEndian: bytes())
  }

  private func numbers() throws(InputError) -> ElementType {
    guard case .number(let stored) = element else { throw place.error("numbers", found: "\(element)") }
    return stored
  }

  private func expect(_ wanted: ElementType) throws(InputError) {
    let stored = try numbers()
    guard stored == wanted else { throw place.error("elements of type \(wanted)", found: "\(stored)") }
  }

  private func bytes(as type: ElementType, rows: Range<Int>?) throws(InputError) -> [UInt8] {
    var wanted = shape
    if let rows {
      precondition(shape.rank > 0 && rows.lowerBound >= 0 && rows.upperBound <= shape[0], "no rows \(rows) in \(shape)")
      wanted.extents[0] = rows.count
    }
    let size = try byteCount(wanted, type)
    guard size > 0 else { return [] }
    try checkFilters()
    return try HDF5Library.sequence { () throws(InputError) -> [UInt8] in
      let space = try rows.map { rows throws(InputError) in try selection(rows) }
      let memory = try rows.map { _ throws(InputError) in try Self.dataspace(wanted, place) }
      let type = try memoryType(type)
      var bytes = [UInt8](repeating: 0, count: size)
      try place.check(
        unsafe H5Dread(
          handle.id, type.id, memory?.id ?? psi_h5_all(), space?.id ?? psi_h5_all(), psi_h5_default(),
          &bytes), "readable elements")
      return bytes
    }
  }

  /// The type that elements take in memory; an enumeration converts to no other, and its numbers lie there as stored.
  private func memoryType(_ type: ElementType) throws(InputError) -> HDF5Handle {
    let stored = try HDF5Handle(H5Dget_type(handle.id), .datatype, place, "an element type")
    guard H5Tget_class(stored.id) == H5T_ENUM else {
      return try HDF5Handle(H5Tcopy(type.hdf5), .datatype, place, "an element type")
    }
    return stored
  }

  /// The bytes that `shape` takes, refused where a file of this size cannot hold so much: deflate packs 1032 bytes into one
  /// at the most.
  func byteCount(_ shape: Shape, _ type: ElementType) throws(InputError) -> Int {
    let (size, overflow) = (shape.checkedCount ?? Int.max).multipliedReportingOverflow(by: type.size)
    let stored = fileByteCount
    let bound = stored == 0 || isVirtual ? 1 << 36 : 1 << 20 + stored.multipliedReportingOverflow(by: 1100).partialValue
    guard !overflow, size <= bound else {
      throw place.error("at most \(bound) bytes in a file of \(stored)", found: "shape \(shape) of \(type)")
    }
    return size
  }

  /// The size of the file that holds this dataset, which an external link may lead to.
  private var fileByteCount: Int {
    let number = psi_h5_file_number(handle.id)
    guard file.byteCount > 0, number != 0, number != psi_h5_file_number(file.handle.id) else { return file.byteCount }
    let owner = H5Iget_file_id(handle.id)
    defer { H5Fclose(owner) }
    var size: hsize_t = 0
    return unsafe H5Fget_filesize(owner, &size) < 0 ? file.byteCount : Int(clamping: size)
  }

  private var isVirtual: Bool {
    let properties = H5Dget_create_plist(handle.id)
    defer { H5Pclose(properties) }
    return H5Pget_layout(properties) == H5D_VIRTUAL
  }

  /// Whether the file holds all of row `index` of the first axis. HDF5 reads what was never written as zeros.
  func isWritten(row index: Int) throws(InputError) -> Bool {
    precondition(shape.rank > 0 && shape.rank <= 32 && (0..<shape[0]).contains(index), "no row \(index) in \(shape)")
    return try HDF5Library.sequence { () throws(InputError) -> Bool in
      let properties = try HDF5Handle(H5Dget_create_plist(handle.id), .properties, place, "creation properties")
      switch H5Pget_layout(properties.id) {
      case H5D_CONTIGUOUS: return H5Pget_external_count(properties.id) > 0 || H5Dget_storage_size(handle.id) > 0
      case H5D_CHUNKED: break
      default: return true
      }
      var chunk = [hsize_t](repeating: 1, count: shape.rank)
      try place.check(unsafe H5Pget_chunk(properties.id, Int32(shape.rank), &chunk), "chunk extents")
      guard !chunk.contains(0) else { throw place.error("chunks of some extent", found: "\(chunk)") }
      var coordinates = [hsize_t](repeating: 0, count: shape.rank)
      coordinates[0] = hsize_t(index) / chunk[0] * chunk[0]
      while true {
        var mask: UInt32 = 0
        var address: haddr_t = 0
        var size: hsize_t = 0
        try place.check(
          unsafe H5Dget_chunk_info_by_coord(handle.id, coordinates, &mask, &address, &size), "information on chunks")
        // HDF5's undefined address: no such chunk.
        guard address != haddr_t.max, size > 0 else { return false }
        var axis = shape.rank - 1
        while axis > 0 {
          coordinates[axis] += chunk[axis]
          if coordinates[axis] < hsize_t(shape[axis]) { break }
          coordinates[axis] = 0
          axis -= 1
        }
        if axis == 0 { return true }
      }
    }
  }

  /// Throws where the file cannot hold so many elements, however well they are compressed.
  func checkSize() throws(InputError) {
    guard case .number(let element) = element else { return }
    _ = try byteCount(shape, element)
  }

  static func dataspace(_ shape: Shape, _ place: HDF5Place, growable: Bool = false) throws(InputError) -> HDF5Handle {
    guard shape.rank > 0 else { return try HDF5Handle(H5Screate(H5S_SCALAR), .dataspace, place, "a data space") }
    let extents = shape.extents.map { hsize_t($0) }
    var limits = extents
    if growable { limits[0] = psi_h5_unlimited() }
    return try HDF5Handle(
      unsafe H5Screate_simple(Int32(shape.rank), extents, limits), .dataspace, place, "a data space")
  }

  /// The data space of this dataset with `rows` of the first axis selected.
  func selection(_ rows: Range<Int>) throws(InputError) -> HDF5Handle {
    let space = try HDF5Handle(H5Dget_space(handle.id), .dataspace, place, "a data space")
    var start = [hsize_t](repeating: 0, count: shape.rank)
    start[0] = hsize_t(rows.lowerBound)
    var count = shape.extents.map { hsize_t($0) }
    count[0] = hsize_t(rows.count)
    try place.check(
      unsafe H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, count, nil), "rows \(rows) of shape \(shape)")
    return space
  }
}
