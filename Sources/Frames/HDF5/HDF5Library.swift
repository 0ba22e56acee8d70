import CChunkFilters
import CHDF5
import Foundation
import Host

/// The process-wide side of the HDF5 C library: its lock and its error stack.
enum HDF5Library {
  /// Serial builds of HDF5 may lack thread safety, so every call sequence holds this lock. It is recursive because a handle
  /// may be released, and so close itself, while its own thread is inside a sequence.
  private static let lock = NSRecursiveLock()

  /// Runs one sequence of HDF5 calls under the lock, with HDF5's own error printing off. Never calls back into user code.
  static func sequence<Result>(_ body: () throws(InputError) -> Result) throws(InputError) -> Result {
    lock.lock()
    defer { lock.unlock() }
    prepare()
    return try body()
  }

  /// As `sequence`, for closing handles.
  static func release(_ body: () -> Void) {
    lock.lock()
    defer { lock.unlock() }
    prepare()
    body()
  }

  /// Registers the filters of this program, once; 0 where HDF5 took them. Runs under the lock.
  private static let filters = psi_register_chunk_filters()

  private static func prepare() {
    // Handles close themselves. At the end of the process HDF5 would close everything without our lock, while other threads
    // may still read ("infinite loop closing library").
    H5dont_atexit()
    H5open()
    precondition(filters == 0, "HDF5 took no filters")
    // The error stack belongs to the thread, so this cannot be done once.
    psi_h5_silence()
    psi_h5_clear_errors()
  }

  /// The error stack as text, innermost first, cut at 600 bytes.
  static func errorText() -> String {
    var bytes = [CChar](repeating: 0, count: 600)
    unsafe psi_h5_error_text(&bytes, bytes.count)
    let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.isEmpty ? "an error without explanation from HDF5" : text
  }
}

/// Where in a file HDF5 is at work, so that every error can say so.
struct HDF5Place {
  let path: String
  let object: String

  func error(_ expected: String, found: String? = nil, kind: InputError.Kind = .malformed) -> InputError {
    InputError(kind, path: path, place: object, expected: expected, found: found ?? HDF5Library.errorText())
  }

  /// Passes a non-negative result on; a negative one is an error with HDF5's explanation.
  @discardableResult
  func check<Code: SignedInteger>(_ code: Code, _ expected: String, kind: InputError.Kind = .malformed)
    throws(InputError) -> Code
  {
    guard code >= 0 else { throw error(expected, kind: kind) }
    return code
  }
}

/// Owns one HDF5 identifier and closes it once.
///
/// Bind a handle to a name before its `id` goes into a call: a call into C keeps named variables alive, not temporaries.
final class HDF5Handle {
  enum Kind { case file, group, dataset, dataspace, datatype, properties, attribute }

  let id: hid_t
  private let kind: Kind
  private var isOpen = true

  /// Takes ownership of `id`; a negative one is an error.
  init(_ id: hid_t, _ kind: Kind, _ place: HDF5Place, _ expected: String, errorKind: InputError.Kind = .malformed)
    throws(InputError)
  {
    guard id >= 0 else { throw place.error(expected, kind: errorKind) }
    self.id = id
    self.kind = kind
  }

  deinit {
    if isOpen { HDF5Library.release { _ = closeNow() } }
  }

  /// Closes the identifier; a negative result means that HDF5 could not.
  func close() -> herr_t {
    guard isOpen else { return 0 }
    isOpen = false
    return closeNow()
  }

  private func closeNow() -> herr_t {
    switch kind {
    case .file: H5Fclose(id)
    case .group: H5Gclose(id)
    case .dataset: H5Dclose(id)
    case .dataspace: H5Sclose(id)
    case .datatype: H5Tclose(id)
    case .properties: H5Pclose(id)
    case .attribute: H5Aclose(id)
    }
  }
}
