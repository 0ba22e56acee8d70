import CHDF5
import Host
import Tensors

extension HDF5File {
  /// Writes a dataset `[N]` of UTF-8 strings of variable length or, given `byteCount`, of that many bytes each, padded with
  /// zeros. Traps for a longer string, and for one that contains a zero, which HDF5 would cut.
  public func write(strings: [String], to object: String, byteCount: Int? = nil) throws(InputError) {
    let place = place(object)
    try HDF5Library.sequence { () throws(InputError) in
      let type = try HDF5StringType(byteCount: byteCount, place)
      let dataset = try makeDataset(place, type: type.handle.id, shape: [strings.count], layout: .contiguous)
      guard !strings.isEmpty else { return }
      try unsafe type.withBytes(of: strings) { bytes throws(InputError) in
        _ = try place.check(
          unsafe H5Dwrite(dataset.handle.id, type.handle.id, psi_h5_all(), psi_h5_all(), psi_h5_default(), bytes),
          "room on disk", kind: .inputOutput)
      }
    }
  }
}

extension HDF5Dataset {
  /// All strings, of fixed or variable length, row-major. Throws where the elements are no strings or no UTF-8.
  public func strings() throws(InputError) -> [String] {
    guard element == .string else { throw place.error("strings", found: "\(element)") }
    return try HDF5Library.sequence { () throws(InputError) -> [String] in
      let stored = try HDF5Handle(H5Dget_type(handle.id), .datatype, place, "an element type")
      let type = try HDF5StringType(like: stored, place)
      return try unsafe type.strings(count: shape.count, bound: try byteCount(shape, .uint8)) { buffer in
        unsafe H5Dread(handle.id, type.handle.id, psi_h5_all(), psi_h5_all(), psi_h5_default(), buffer)
      } reclaim: { buffer in
        let space = H5Dget_space(handle.id)
        unsafe H5Dvlen_reclaim(type.handle.id, space, psi_h5_default(), buffer)
        H5Sclose(space)
      }
    }
  }
}

/// A string type of HDF5 with the way its elements lie in memory: bytes padded with zeros, or pointers.
struct HDF5StringType {
  let handle: HDF5Handle
  /// Bytes per string; `nil` for variable length.
  let byteCount: Int?
  private let place: HDF5Place

  /// A new UTF-8 type.
  init(byteCount: Int?, _ place: HDF5Place) throws(InputError) {
    handle = try HDF5Handle(H5Tcopy(psi_h5_c_string()), .datatype, place, "a string type")
    self.byteCount = byteCount
    self.place = place
    try place.check(H5Tset_size(handle.id, byteCount ?? psi_h5_variable()), "a string length")
    try place.check(H5Tset_cset(handle.id, H5T_CSET_UTF8), "UTF-8")
    try place.check(H5Tset_strpad(handle.id, byteCount == nil ? H5T_STR_NULLTERM : H5T_STR_NULLPAD), "string padding")
  }

  /// The type in memory for elements stored as `stored`.
  init(like stored: HDF5Handle, _ place: HDF5Place) throws(InputError) {
    handle = try HDF5Handle(H5Tcopy(stored.id), .datatype, place, "a string type")
    byteCount = try place.check(H5Tis_variable_str(stored.id), "a string type") > 0 ? nil : H5Tget_size(stored.id)
    self.place = place
  }

  /// Lays `strings` out as HDF5 takes them and passes the address on.
  func withBytes(of strings: [String], _ body: (UnsafeRawPointer) throws(InputError) -> Void) throws(InputError) {
    precondition(strings.allSatisfy { !$0.utf8.contains(0) }, "HDF5 strings end at the first zero byte")
    if let byteCount {
      var bytes: [UInt8] = []
      for string in strings {
        precondition(string.utf8.count <= byteCount, "\"\(string)\" is longer than \(byteCount) bytes")
        bytes += string.utf8
        bytes += repeatElement(0, count: byteCount - string.utf8.count)
      }
      try unsafe body(bytes)
    } else {
      var bytes: [CChar] = []
      var offsets: [Int] = []
      for string in strings {
        offsets.append(bytes.count)
        bytes += string.utf8.map { CChar(bitPattern: $0) }
        bytes.append(0)
      }
      let outcome = unsafe bytes.withUnsafeBufferPointer { buffer -> Result<Void, InputError> in
        let base = buffer.baseAddress
        let pointers = unsafe offsets.map { offset in unsafe base.map { unsafe $0 + offset } }
        return unsafe pointers.withUnsafeBytes { table -> Result<Void, InputError> in
          guard let table = table.baseAddress else { return .success(()) }
          do throws(InputError) { return .success(try unsafe body(table)) } catch { return .failure(error) }
        }
      }
      try outcome.get()
    }
  }

  /// Reads `count` strings by `read`; `reclaim` frees those of variable length. `bound` is what the file can hold, in strings.
  func strings(
    count: Int, bound: Int, _ read: (UnsafeMutableRawPointer) -> herr_t, reclaim: (UnsafeMutableRawPointer) -> Void
  ) throws(InputError) -> [String] {
    guard count > 0 else { return [] }
    if let byteCount {
      let (size, overflow) = count.multipliedReportingOverflow(by: byteCount)
      guard !overflow, size <= 1 << 34 else { throw place.error("strings that fit in memory", found: "\(count) of \(byteCount) bytes") }
      var bytes = [UInt8](repeating: 0, count: size)
      try place.check(unsafe read(&bytes), "readable strings")
      return try stride(from: 0, to: size, by: max(byteCount, 1)).map { start throws(InputError) in
        try text(bytes[start..<start + byteCount].prefix { $0 != 0 })
      }
    }
    var pointers = unsafe [UnsafePointer<CChar>?](repeating: nil, count: count)
    let outcome = unsafe pointers.withUnsafeMutableBytes { table -> Result<[String], InputError> in
      guard let base = table.baseAddress else { return .success([]) }
      do throws(InputError) {
        try place.check(unsafe read(base), "readable strings")
        defer { unsafe reclaim(base) }
        let table = unsafe table.bindMemory(to: UnsafePointer<CChar>?.self)
        var found: [String] = []
        for index in table.indices {
          guard let start = unsafe table[index] else {
            found.append("")
            continue
          }
          found.append(try unsafe text(UnsafeRawBufferPointer(start: start, count: strlen(start))))
        }
        return .success(found)
      } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  private func text(_ bytes: some Sequence<UInt8>) throws(InputError) -> String {
    guard let text = String(validating: Array(bytes), as: UTF8.self) else { throw place.error("UTF-8 text", found: "other bytes") }
    return text
  }
}
