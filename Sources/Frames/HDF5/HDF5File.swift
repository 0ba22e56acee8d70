import CHDF5
import Foundation
import Host
import Tensors

/// One open HDF5 file, for reading or freshly created for writing.
///
/// Object names are absolute paths such as `/entry_1/data_1/data`; soft links, external links and virtual datasets are
/// followed as HDF5 does. The same sequence of writes gives the same bytes: no object carries a time stamp.
public final class HDF5File {
  public let path: String
  /// The size of the file when it was opened, in bytes: what bounds the size of anything read from it. 0 for a new file.
  let byteCount: Int
  let handle: HDF5Handle
  private var isOpen = true

  /// Opens for reading. Throws `.missing` where there is no file, `.malformed` where it is not HDF5.
  public init(opening path: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: path), !AtomicFile.isFolder(path) else {
      throw InputError(.missing, path: path, place: "", expected: "an HDF5 file", found: "no such file")
    }
    self.path = path
    byteCount = try Self.byteCount(of: path)
    let place = HDF5Place(path: path, object: "file")
    handle = try HDF5Library.sequence { () throws(InputError) -> HDF5Handle in
      let access = try Self.access(place)
      return try HDF5Handle(
        unsafe H5Fopen(path, psi_h5_read_only(), access.id), .file, place, "a readable HDF5 file")
    }
  }

  /// Creates an empty file, replacing any that is there. Write to a temporary name and rename for atomic replacement.
  public init(creating path: String) throws(InputError) {
    self.path = path
    byteCount = 0
    let place = HDF5Place(path: path, object: "")
    handle = try HDF5Library.sequence { () throws(InputError) -> HDF5Handle in
      let access = try Self.access(place)
      let creation = try HDF5Handle(H5Pcreate(psi_h5_file_create_class()), .properties, place, "creation properties")
      try place.check(H5Pset_obj_track_times(creation.id, false), "objects without time stamps")
      return try HDF5Handle(
        unsafe H5Fcreate(path, psi_h5_truncate(), creation.id, access.id), .file, place, "a writable place",
        errorKind: .inputOutput)
    }
  }

  private static func byteCount(of path: String) throws(InputError) -> Int {
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      return (attributes[.size] as? NSNumber)?.intValue ?? 0
    } catch {
      throw InputError(.inputOutput, path: path, place: "", expected: "a file size", found: error.localizedDescription)
    }
  }

  private static func access(_ place: HDF5Place) throws(InputError) -> HDF5Handle {
    let access = try HDF5Handle(H5Pcreate(psi_h5_file_access_class()), .properties, place, "access properties")
    // Closing the file closes what is still open in it, so that `close` means that everything is on disk.
    try place.check(H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG), "a close degree")
    // No locks: network file systems may have none, a process started meanwhile would inherit and keep ours, and what we write
    // gets its name only when it is finished.
    try place.check(H5Pset_file_locking(access.id, false, true), "no file locking")
    return access
  }

  /// Writes everything to disk. Throws `.inputOutput` where that fails.
  public func flush() throws(InputError) {
    let place = HDF5Place(path: path, object: "")
    try HDF5Library.sequence { () throws(InputError) in
      _ = try place.check(H5Fflush(handle.id, H5F_SCOPE_GLOBAL), "room on disk", kind: .inputOutput)
    }
  }

  /// Flushes and closes the file and all that is open in it; datasets taken from it cannot be used afterwards.
  public func close() throws(InputError) {
    guard isOpen else { return }
    isOpen = false
    let place = HDF5Place(path: path, object: "")
    try HDF5Library.sequence { () throws(InputError) in
      _ = try place.check(handle.close(), "a file that can be closed", kind: .inputOutput)
    }
  }

  func place(_ object: String) -> HDF5Place { HDF5Place(path: path, object: object) }
}

/// What a name in a group leads to.
public enum HDF5ObjectKind: Sendable {
  case group, dataset, namedType
  /// A soft or external link whose target is not there.
  case brokenLink
}

extension HDF5File {
  /// The names in a group, in alphabetical order, with what they lead to; links are followed.
  public func contents(of group: String = "/") throws(InputError) -> [(name: String, kind: HDF5ObjectKind)] {
    let place = place(group)
    return try HDF5Library.sequence { () throws(InputError) -> [(name: String, kind: HDF5ObjectKind)] in
      let opened = try HDF5Handle(
        unsafe H5Gopen2(handle.id, group, psi_h5_default()), .group, place, "a group", errorKind: .missing)
      var names: [String] = []
      let status = unsafe withUnsafeMutablePointer(to: &names) { box in
        unsafe H5Literate(
          opened.id, H5_INDEX_NAME, H5_ITER_INC, nil,
          { _, name, _, context in
            guard let name = unsafe name, let context = unsafe context else { return -1 }
            unsafe context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: name))
            return 0
          }, box)
      }
      try place.check(status, "a readable group")
      return names.sorted().map { name in (name, kind(of: name, in: opened.id).kind) }
    }
  }

  /// What stands at `object`, `nil` where there is nothing or a link leads nowhere.
  public func kind(of object: String) throws(InputError) -> HDF5ObjectKind? {
    try HDF5Library.sequence { () throws(InputError) -> HDF5ObjectKind? in
      let kind = kind(of: object, in: handle.id).kind
      return kind == .brokenLink ? nil : kind
    }
  }

  /// The paths of all datasets that can be reached, in alphabetical order by group; a group is entered once, however many
  /// links lead to it.
  public func datasetPaths() throws(InputError) -> [String] {
    var found: [String] = []
    var seen: Set<UInt64> = []
    var waiting = [(path: "", depth: 0)]
    while let (group, depth) = waiting.popLast() {
      // Past these bounds a file is not data but a maze.
      guard depth < 64, found.count < 1 << 20 else {
        throw InputError(path: path, place: group, expected: "at most 64 nested groups and 2^20 datasets", found: "more")
      }
      let name = group.isEmpty ? "/" : group
      let address = try HDF5Library.sequence { () throws(InputError) -> UInt64 in kind(of: name, in: handle.id).address }
      guard seen.insert(address).inserted else { continue }
      var groups: [(path: String, depth: Int)] = []
      for (child, kind) in try contents(of: name) {
        switch kind {
        case .dataset: found.append("\(group)/\(child)")
        case .group: groups.append(("\(group)/\(child)", depth + 1))
        case .namedType, .brokenLink: break
        }
      }
      waiting += groups.reversed()
    }
    return found
  }

  private func kind(of name: String, in location: hid_t) -> (kind: HDF5ObjectKind, address: UInt64) {
    var address: UInt64 = 0
    switch unsafe psi_h5_object(location, name, &address) {
    case 0: return (.group, address)
    case 1: return (.dataset, address)
    case 2: return (.namedType, address)
    default: return (.brokenLink, 0)
    }
  }

  /// Opens a dataset by path. Throws `.missing` where there is none.
  public func dataset(_ object: String) throws(InputError) -> HDF5Dataset {
    let place = place(object)
    return try HDF5Library.sequence { () throws(InputError) -> HDF5Dataset in
      let opened = try HDF5Handle(
        unsafe H5Dopen2(handle.id, object, psi_h5_default()), .dataset, place, "a dataset", errorKind: .missing)
      return try HDF5Dataset(file: self, path: object, handle: opened)
    }
  }
}
