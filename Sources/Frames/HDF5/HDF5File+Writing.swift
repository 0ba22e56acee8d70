import CHDF5
import Host
import Tensors

/// How a new dataset lies in the file.
public struct HDF5Layout: Hashable, Sendable {
  /// The extents of one chunk, as many as the dataset has axes; `nil` stores the dataset in one piece.
  public var chunk: Shape?
  /// Byte shuffle before compression; pays for elements of two bytes and more.
  public var shuffle: Bool
  /// 1 (fast) ... 9 (small); `nil` for no compression.
  public var deflate: Int?
  /// Whether the first axis can grow; needs chunks.
  public var isGrowable: Bool

  /// One piece, uncompressed, of fixed size.
  public static let contiguous = HDF5Layout(chunk: nil, shuffle: false, deflate: nil, isGrowable: false)

  /// Chunks, by default shuffled, deflated at level 4 and growable along the first axis.
  public static func chunked(_ chunk: Shape, shuffle: Bool = true, deflate: Int? = 4, isGrowable: Bool = true) -> HDF5Layout {
    HDF5Layout(chunk: chunk, shuffle: shuffle, deflate: deflate, isGrowable: isGrowable)
  }
}

extension HDF5File {
  /// Creates a group and those above it that are not there yet.
  public func makeGroup(_ object: String) throws(InputError) {
    let place = place(object)
    try HDF5Library.sequence { () throws(InputError) in
      let links = try intermediateGroups(place)
      let creation = try HDF5Handle(H5Pcreate(psi_h5_group_create_class()), .properties, place, "group properties")
      try place.check(H5Pset_obj_track_times(creation.id, false), "objects without time stamps")
      _ = try HDF5Handle(
        unsafe H5Gcreate2(handle.id, object, links.id, creation.id, psi_h5_default()), .group, place, "a new group",
        errorKind: .inputOutput)
    }
  }

  /// Creates a dataset of zeros, and the groups above it that are not there yet. Traps for records and for a layout whose
  /// chunk has another rank or an extent of zero.
  public func makeDataset(_ object: String, element: ElementType, shape: Shape, layout: HDF5Layout = .contiguous)
    throws(InputError) -> HDF5Dataset
  {
    let place = place(object)
    return try HDF5Library.sequence { () throws(InputError) -> HDF5Dataset in
      try makeDataset(place, type: element.hdf5, shape: shape, layout: layout)
    }
  }

  /// Creates a dataset and writes `values` into it, row-major. Traps where the counts differ.
  @discardableResult
  public func write<Number: HDF5Number>(
    _ values: [Number], shape: Shape, to object: String, layout: HDF5Layout = .contiguous
  ) throws(InputError) -> HDF5Dataset {
    let dataset = try makeDataset(object, element: Number.element, shape: shape, layout: layout)
    try dataset.write(values)
    return dataset
  }

  /// Makes `object` another name for `target`, which need not exist yet.
  public func makeSoftLink(_ object: String, to target: String) throws(InputError) {
    let place = place(object)
    try HDF5Library.sequence { () throws(InputError) in
      let links = try intermediateGroups(place)
      _ = try place.check(
        unsafe H5Lcreate_soft(target, handle.id, object, links.id, psi_h5_default()), "a new soft link", kind: .inputOutput)
    }
  }

  /// Inside a sequence: creates a dataset of any HDF5 type.
  func makeDataset(_ place: HDF5Place, type: hid_t, shape: Shape, layout: HDF5Layout) throws(InputError) -> HDF5Dataset {
    let creation = try HDF5Handle(H5Pcreate(psi_h5_dataset_create_class()), .properties, place, "dataset properties")
    try place.check(H5Pset_obj_track_times(creation.id, false), "objects without time stamps")
    if let chunk = layout.chunk {
      precondition(chunk.rank == shape.rank && chunk.extents.allSatisfy { $0 > 0 }, "chunk \(chunk) does not tile \(shape)")
      try place.check(
        unsafe H5Pset_chunk(creation.id, Int32(chunk.rank), chunk.extents.map { hsize_t($0) }), "chunks of \(chunk)")
      if layout.shuffle { try place.check(H5Pset_shuffle(creation.id), "the shuffle filter") }
      if let level = layout.deflate {
        precondition((1...9).contains(level), "deflate levels are 1...9, not \(level)")
        try place.check(H5Pset_deflate(creation.id, UInt32(level)), "the deflate filter")
      }
    } else {
      precondition(!layout.isGrowable && layout.deflate == nil, "a dataset that grows or is compressed needs chunks")
    }
    let space = try HDF5Dataset.dataspace(shape, place, growable: layout.isGrowable)
    let links = try intermediateGroups(place)
    let made = try HDF5Handle(
      unsafe H5Dcreate2(handle.id, place.object, type, space.id, links.id, creation.id, psi_h5_default()), .dataset, place,
      "a new dataset", errorKind: .inputOutput)
    return try HDF5Dataset(file: self, path: place.object, handle: made)
  }

  private func intermediateGroups(_ place: HDF5Place) throws(InputError) -> HDF5Handle {
    let links = try HDF5Handle(H5Pcreate(psi_h5_link_create_class()), .properties, place, "link properties")
    try place.check(H5Pset_create_intermediate_group(links.id, 1), "intermediate groups")
    return links
  }
}

extension HDF5Dataset {
  /// Writes all elements. Traps where the number or type of elements is another.
  public func write<Number: HDF5Number>(_ values: [Number]) throws(InputError) {
    try write(bytes: Number.bytes(littleEndian: values), of: Number.element, rows: nil)
  }

  /// Writes rows of the first axis from `row` on, which must exist. Traps where `values` are no whole rows.
  public func write<Number: HDF5Number>(_ values: [Number], at row: Int) throws(InputError) {
    try write(bytes: Number.bytes(littleEndian: values), of: Number.element, rows: rows(of: values.count, at: row))
  }

  /// Grows the first axis and writes whole rows there. Traps where `values` are no whole rows.
  public func append<Number: HDF5Number>(_ values: [Number]) throws(InputError) {
    try append(bytes: Number.bytes(littleEndian: values), of: Number.element)
  }

  /// As `append`, from little-endian bytes of `type`.
  public func append(bytes: [UInt8], of type: ElementType) throws(InputError) {
    let rows = rows(of: bytes.count / type.size, at: shape[0])
    try HDF5Library.sequence { () throws(InputError) in try resize(rows: rows.upperBound) }
    try write(bytes: bytes, of: type, rows: rows)
  }

  private func rows(of count: Int, at row: Int) -> Range<Int> {
    precondition(shape.rank > 0, "a single value has no rows")
    let perRow = Shape(Array(shape.extents.dropFirst())).count
    precondition(perRow > 0 && count % perRow == 0, "\(count) elements are no whole rows of \(perRow)")
    return row..<row + count / perRow
  }

  private func write(bytes: [UInt8], of type: ElementType, rows: Range<Int>?) throws(InputError) {
    var wanted = shape
    if let rows {
      precondition(rows.lowerBound >= 0 && rows.upperBound <= shape[0], "no rows \(rows) in \(shape)")
      wanted.extents[0] = rows.count
    }
    precondition(element == .number(type), "\(type) cannot be written to \(path), which holds \(element)")
    precondition(bytes.count == wanted.count * type.size, "\(bytes.count) bytes do not fill \(wanted) of \(type)")
    guard !bytes.isEmpty else { return }
    try HDF5Library.sequence { () throws(InputError) in
      let space = try rows.map { rows throws(InputError) in try selection(rows) }
      let memory = try HDF5Dataset.dataspace(wanted, place)
      _ = try place.check(
        unsafe H5Dwrite(handle.id, type.hdf5, memory.id, space?.id ?? psi_h5_all(), psi_h5_default(), bytes),
        "room on disk", kind: .inputOutput)
    }
  }
}
