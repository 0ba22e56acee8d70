import CHDF5
import Host
import Tensors

/// Datasets of structures (HDF5's compound type).
extension HDF5Dataset {
  /// The names of the members that are single integers or reals, in their order; empty where elements are no structures.
  func numberMembers() throws(InputError) -> [String] {
    try HDF5Library.sequence { () throws(InputError) -> [String] in
      let type = try HDF5Handle(H5Dget_type(handle.id), .datatype, place, "an element type")
      guard H5Tget_class(type.id) == H5T_COMPOUND else { return [] }
      var names: [String] = []
      for member in 0..<UInt32(try place.check(H5Tget_nmembers(type.id), "a number of members")) {
        let kind = H5Tget_member_class(type.id, member)
        if kind == H5T_INTEGER || kind == H5T_FLOAT, let name = Self.memberName(type, member) { names.append(name) }
      }
      return names
    }
  }

  private static func memberName(_ type: HDF5Handle, _ member: UInt32) -> String? {
    guard let text = unsafe H5Tget_member_name(type.id, member) else { return nil }
    defer { unsafe H5free_memory(text) }
    return unsafe String(cString: text)
  }

  /// The members `names` of all elements, converted to Double: one array a member. Throws where there are no such numbers or more
  /// than the file can hold.
  func doubles(members names: [String]) throws(InputError) -> [String: [Double]] {
    guard !names.isEmpty else { return [:] }
    let count = shape.count, size = try byteCount([count, names.count], .float64)
    guard size > 0 else { return [:] }
    let rows = try HDF5Library.sequence { () throws(InputError) -> [Double] in
      let type = try HDF5Handle(H5Tcreate(H5T_COMPOUND, 8 * names.count), .datatype, place, "a structure type")
      for (position, name) in names.enumerated() {
        try place.check(unsafe H5Tinsert(type.id, name, 8 * position, ElementType.float64.hdf5), "a member \(name)")
      }
      var rows = [Double](repeating: 0, count: size / 8)
      try place.check(
        unsafe H5Dread(handle.id, type.id, psi_h5_all(), psi_h5_all(), psi_h5_default(), &rows), "readable structures")
      return rows
    }
    var columns: [String: [Double]] = [:]
    for (position, name) in names.enumerated() {
      columns[name] = stride(from: position, to: rows.count, by: names.count).map { rows[$0] }
    }
    return columns
  }

  /// For each element, the integers `inner` of the structures in its list `member`: what the event receiver's FIFO holds.
  func integers(of inner: String, inList member: String) throws(InputError) -> [[Int]] {
    let count = shape.count
    guard try byteCount([count, 2], .uint64) > 0 else { return [] }
    return try HDF5Library.sequence { () throws(InputError) -> [[Int]] in
      let item = try HDF5Handle(H5Tcreate(H5T_COMPOUND, 4), .datatype, place, "a structure type")
      try place.check(unsafe H5Tinsert(item.id, inner, 0, ElementType.uint32.hdf5), "a member \(inner)")
      let list = try HDF5Handle(H5Tvlen_create(item.id), .datatype, place, "a list type")
      let type = try HDF5Handle(unsafe H5Tcreate(H5T_COMPOUND, MemoryLayout<hvl_t>.size), .datatype, place, "a structure type")
      try place.check(unsafe H5Tinsert(type.id, member, 0, list.id), "a member \(member)")
      let space = try HDF5Handle(H5Dget_space(handle.id), .dataspace, place, "a data space")
      var lists = unsafe [hvl_t](repeating: hvl_t(), count: count)
      try place.check(
        unsafe H5Dread(handle.id, type.id, psi_h5_all(), psi_h5_all(), psi_h5_default(), &lists), "readable lists")
      defer { _ = unsafe H5Dvlen_reclaim(type.id, space.id, psi_h5_default(), &lists) }
      return unsafe lists.map { list -> [Int] in
        guard let start = unsafe list.p else { return [] }
        return unsafe UnsafeRawBufferPointer(start: start, count: 4 * list.len).bindMemory(to: UInt32.self).map { Int($0) }
      }
    }
  }
}
