import CArchive
import Foundation
import Host

/// Writes a tar archive (POSIX ustar) through libarchive. The same entries give the same bytes: no times, no owners.
@safe final class TarWriter {
  private let path: String
  private let archive: OpaquePointer
  private var isOpen = true

  /// Creates the archive under a temporary name; `finish` gives it its own.
  init(creating path: String) throws(InputError) {
    self.path = path
    guard let archive = unsafe archive_write_new() else { preconditionFailure("no memory for an archive") }
    unsafe self.archive = archive
    try check(unsafe archive_write_set_format_ustar(archive))
    // Whole blocks of 10 KiB at the end, as tar itself does.
    try check(unsafe archive_write_open_filename(archive, path + ".partial"))
  }

  deinit { unsafe archive_write_free(archive) }

  /// Adds a regular file. Names beyond ustar's 100 bytes (255 with folders) are refused.
  func add(_ name: String, _ bytes: [UInt8]) throws(InputError) {
    guard let entry = unsafe archive_entry_new() else { preconditionFailure("no memory for an entry") }
    defer { unsafe archive_entry_free(entry) }
    unsafe archive_entry_set_pathname(entry, name)
    unsafe archive_entry_set_size(entry, Int64(bytes.count))
    // A regular file, as S_IFREG says.
    unsafe archive_entry_set_filetype(entry, 0o100000)
    unsafe archive_entry_set_perm(entry, 0o644)
    unsafe archive_entry_set_mtime(entry, 0, 0)
    try check(unsafe archive_write_header(archive, entry))
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { unsafe archive_write_data(archive, $0.baseAddress! + written, $0.count - written) }
      guard count > 0 else { throw failure() }
      written += count
    }
  }

  func finish() throws(InputError) {
    precondition(isOpen, "an archive is finished once")
    isOpen = false
    try check(unsafe archive_write_close(archive))
    try AtomicFile.move(path + ".partial", to: path)
  }

  private func check(_ code: Int32) throws(InputError) {
    guard code == ARCHIVE_OK else { throw failure() }
  }

  private func failure() -> InputError {
    let reason = unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "an error without explanation"
    return InputError(.inputOutput, path: path, place: "", expected: "an archive that can be written", found: reason)
  }
}
