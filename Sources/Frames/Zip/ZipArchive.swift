import CZip
import Foundation
import Host

/// A ZIP archive opened for reading, through libzip. Safe to use: the archive stays open as long as this object lives.
@safe final class ZipArchive {
  private let path: String
  private let byteCount: Int
  private let archive: OpaquePointer

  /// Throws `.missing` where there is no file, `.malformed` where it is no archive.
  init(opening path: String) throws(InputError) {
    byteCount = try AtomicFile.read(path).count
    var code: Int32 = 0
    guard let archive = unsafe zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code) else {
      throw InputError(path: path, place: "archive", expected: "a consistent ZIP archive", found: Self.reason(code))
    }
    self.path = path
    unsafe self.archive = archive
  }

  deinit { unsafe zip_discard(archive) }

  private static func reason(_ code: Int32) -> String {
    var error = unsafe zip_error_t()
    unsafe zip_error_init_with_code(&error, code)
    defer { unsafe zip_error_fini(&error) }
    return unsafe String(cString: zip_error_strerror(&error))
  }

  private func error(_ place: String, _ expected: String) -> InputError {
    InputError(path: path, place: place, expected: expected, found: unsafe String(cString: zip_strerror(archive)))
  }

  /// The names of the entries, in the order of the archive. Throws where two are the same.
  func names() throws(InputError) -> [String] {
    var names: [String] = []
    for index in 0..<UInt64(max(0, unsafe zip_get_num_entries(archive, 0))) {
      guard let name = unsafe zip_get_name(archive, index, 0) else { throw error("entry \(index)", "a name") }
      names.append(unsafe String(cString: name))
    }
    guard Set(names).count == names.count else {
      throw InputError(path: path, place: "archive", expected: "entries of different names", found: "one name twice")
    }
    return names
  }

  /// An entry's uncompressed bytes. Throws where its checksum or size does not fit.
  func contents(of name: String) throws(InputError) -> [UInt8] {
    var entry = unsafe zip_stat_t()
    guard unsafe zip_stat(archive, name, 0, &entry) == 0, unsafe entry.valid & UInt64(ZIP_STAT_SIZE) != 0 else {
      throw error(name, "an entry with a size")
    }
    let announced = unsafe entry.size
    // Deflate packs 1032 bytes into one at the most.
    guard let size = Int(exactly: announced), size <= byteCount.multipliedReportingOverflow(by: 1100).partialValue else {
      throw InputError(path: path, place: name, expected: "a size that \(byteCount) bytes can hold", found: "\(announced)")
    }
    guard let file = unsafe zip_fopen(archive, name, 0) else { throw error(name, "a readable entry") }
    var bytes = [UInt8](repeating: 0, count: size)
    let read = unsafe zip_fread(file, &bytes, UInt64(size))
    // The checksum is compared at the end of the data.
    var beyond: UInt8 = 0
    let rest = unsafe zip_fread(file, &beyond, 1)
    let status = unsafe zip_fclose(file)
    guard read == Int64(size), rest == 0, status == 0 else {
      throw InputError(
        path: path, place: name, expected: "\(size) intact bytes", found: "\(read) bytes that end or add up otherwise")
    }
    return bytes
  }

  /// Writes an archive of deflated entries, dated 1980-01-01, so that equal contents give equal bytes.
  static func write(_ entries: [(name: String, bytes: [UInt8])], to path: String) throws(InputError) {
    var code: Int32 = 0
    let temporary = path + ".partial"
    guard let archive = unsafe zip_open(temporary, ZIP_CREATE | ZIP_TRUNCATE, &code) else {
      throw InputError(.inputOutput, path: path, place: "", expected: "a writable place", found: reason(code))
    }
    func fail(_ place: String) -> InputError {
      let reason = unsafe String(cString: zip_strerror(archive))
      unsafe zip_discard(archive)
      return InputError(.inputOutput, path: path, place: place, expected: "room for an archive", found: reason)
    }
    for (name, bytes) in entries {
      // libzip reads the data when it closes the archive, and then frees this copy.
      let copy = unsafe UnsafeMutableRawBufferPointer(start: malloc(max(1, bytes.count)), count: bytes.count)
      unsafe copy.copyBytes(from: bytes)
      guard let source = unsafe zip_source_buffer(archive, copy.baseAddress, UInt64(bytes.count), 1) else {
        unsafe free(copy.baseAddress)
        throw fail(name)
      }
      let index = unsafe zip_file_add(archive, name, source, zip_flags_t(ZIP_FL_ENC_UTF_8))
      guard index >= 0 else {
        unsafe zip_source_free(source)
        throw fail(name)
      }
      guard unsafe zip_file_set_dostime(archive, UInt64(index), 0, 0x21, 0) == 0 else { throw fail(name) }
    }
    guard unsafe zip_close(archive) == 0 else { throw fail("") }
    try AtomicFile.move(temporary, to: path)
  }
}
