import CHDF5
import Host
import Tensors

/// The value of an attribute: one value, or a row of them.
public enum HDF5Attribute: Hashable, Sendable {
  case string(String)
  case integer(Int)
  case real(Double)
  case strings([String])
  case integers([Int])
  case reals([Double])
}

extension HDF5File {
  /// The names of the attributes of a group or dataset, in alphabetical order.
  public func attributeNames(of object: String = "/") throws(InputError) -> [String] {
    let place = place(object)
    return try HDF5Library.sequence { () throws(InputError) -> [String] in
      var names: [String] = []
      let status = unsafe withUnsafeMutablePointer(to: &names) { box -> herr_t in
        let opened = unsafe H5Oopen(handle.id, object, psi_h5_default())
        guard opened >= 0 else { return -1 }
        defer { H5Oclose(opened) }
        return unsafe H5Aiterate2(
          opened, H5_INDEX_NAME, H5_ITER_INC, nil,
          { _, name, _, context in
            guard let name = unsafe name, let context = unsafe context else { return -1 }
            unsafe context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            return 0
          }, box)
      }
      try place.check(status, "an object with readable attributes")
      return names.sorted()
    }
  }

  /// An attribute of a group or dataset, `nil` where it has none of that name. Throws for types that are neither numbers
  /// nor strings, and for integers beyond Int.
  public func attribute(_ name: String, of object: String = "/") throws(InputError) -> HDF5Attribute? {
    let place = HDF5Place(path: path, object: "\(object)@\(name)")
    return try HDF5Library.sequence { () throws(InputError) -> HDF5Attribute? in
      let exists = try place.check(
        unsafe H5Aexists_by_name(handle.id, object, name, psi_h5_default()), "a group or dataset", kind: .missing)
      guard exists > 0 else { return nil }
      let opened = try HDF5Handle(
        unsafe H5Aopen_by_name(handle.id, object, name, psi_h5_default(), psi_h5_default()), .attribute, place,
        "a readable attribute")
      return try value(of: opened, place)
    }
  }

  private func value(of attribute: HDF5Handle, _ place: HDF5Place) throws(InputError) -> HDF5Attribute {
    let space = try HDF5Handle(H5Aget_space(attribute.id), .dataspace, place, "a data space")
    let isScalar = H5Sget_simple_extent_type(space.id) == H5S_SCALAR
    let count = Int(try place.check(H5Sget_simple_extent_npoints(space.id), "a number of elements"))
    guard count <= 1 << 24 else { throw place.error("at most 2^24 elements in an attribute", found: "\(count)") }
    let type = try HDF5Handle(H5Aget_type(attribute.id), .datatype, place, "an element type")
    switch try HDF5Dataset.element(of: type, place) {
    case .string:
      let type = try HDF5StringType(like: type, place)
      let strings = try unsafe type.strings(count: count, bound: count) { buffer in
        unsafe H5Aread(attribute.id, type.handle.id, buffer)
      } reclaim: { buffer in
        unsafe H5Dvlen_reclaim(type.handle.id, space.id, psi_h5_default(), buffer)
      }
      return isScalar ? .string(strings.first ?? "") : .strings(strings)
    case .number(.float32), .number(.float64):
      var values = [Double](repeating: 0, count: count)
      if count > 0 { try place.check(unsafe H5Aread(attribute.id, ElementType.float64.hdf5, &values), "readable numbers") }
      return isScalar ? .real(values[0]) : .reals(values)
    case .number(let stored):
      // An enumeration converts to no other type, so its own is used; its integers have the same bytes.
      let isEnumeration = H5Tget_class(type.id) == H5T_ENUM
      var bytes = [UInt8](repeating: 0, count: count * stored.size)
      if count > 0 {
        try place.check(unsafe H5Aread(attribute.id, isEnumeration ? type.id : stored.hdf5, &bytes), "readable numbers")
      }
      let values = try stored.integers(littleEndian: bytes).map { value throws(InputError) in
        guard let value else { throw place.error("integers up to 2^63 - 1", found: "a greater one") }
        return value
      }
      return isScalar ? .integer(values[0]) : .integers(values)
    case .other:
      throw place.error("numbers or strings", found: "an attribute of another class")
    }
  }

  /// Writes an attribute to a group or dataset, replacing any of that name.
  public func setAttribute(_ name: String, _ value: HDF5Attribute, of object: String = "/") throws(InputError) {
    let place = HDF5Place(path: path, object: "\(object)@\(name)")
    try HDF5Library.sequence { () throws(InputError) in
      if try place.check(unsafe H5Aexists_by_name(handle.id, object, name, psi_h5_default()), "a group or dataset") > 0 {
        try place.check(unsafe H5Adelete_by_name(handle.id, object, name, psi_h5_default()), "a replaceable attribute")
      }
      func write(_ shape: Shape, _ type: hid_t, _ bytes: UnsafeRawPointer) throws(InputError) {
        let space = try HDF5Dataset.dataspace(shape, place)
        let made = try HDF5Handle(
          unsafe H5Acreate_by_name(
            handle.id, object, name, type, space.id, psi_h5_default(), psi_h5_default(), psi_h5_default()), .attribute, place,
          "a new attribute", errorKind: .inputOutput)
        if shape.count > 0 {
          try place.check(unsafe H5Awrite(made.id, type, bytes), "room on disk", kind: .inputOutput)
        }
      }
      func write(_ shape: Shape, _ strings: [String]) throws(InputError) {
        // A text of fixed length is readable everywhere; HDF5 has no strings of length 0.
        let type = try HDF5StringType(byteCount: max(1, strings.map(\.utf8.count).max() ?? 1), place)
        try unsafe type.withBytes(of: strings) { bytes throws(InputError) in
          try unsafe write(shape, type.handle.id, bytes)
        }
      }
      switch value {
      case .string(let text): try write([], [text])
      case .strings(let texts): try write([texts.count], texts)
      case .integer(let number): try unsafe write([], ElementType.int64.hdf5, [Int64(number)])
      case .integers(let numbers): try unsafe write([numbers.count], ElementType.int64.hdf5, numbers.map { Int64($0) })
      case .real(let number): try unsafe write([], ElementType.float64.hdf5, [number])
      case .reals(let numbers): try unsafe write([numbers.count], ElementType.float64.hdf5, numbers)
      }
    }
  }
}
