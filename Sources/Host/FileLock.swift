import Foundation

/// The right of one process at a time to do something, as a lock of the operating system on a small file.
///
/// The system takes the lock back when the process ends, however it ends: a file left by a dead process blocks nobody. The file
/// says who holds it. Locks count between machines where the file system passes `flock` on (NFS, Lustre mounted with `flock`).
public final class FileLock: Sendable {
  public let path: String
  private let descriptor: Int32

  /// Takes the lock at once or throws `.inputOutput`, naming the host and process that has it. `expected` is for that message.
  public init(_ path: String, expected: String) throws(InputError) {
    self.path = path
    var descriptor: Int32
    repeat {
      descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw InputError(.inputOutput, path: path, place: "", expected: "a writable place", found: FileLock.reason(errno))
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(descriptor)
        guard code == EWOULDBLOCK else {
          throw InputError(
            .inputOutput, path: path, place: "lock", expected: "a file system with locks (Lustre: mounted with flock)",
            found: FileLock.reason(code))
        }
        let holder = String(decoding: try AtomicFile.read(path), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        throw InputError(
          .inputOutput, path: path, place: "lock", expected: expected,
          found: holder.isEmpty ? "another process at work" : "\(holder) at work; wait for it or stop it")
      }
      // Who held it before may have removed the file while this process waited to open it.
    } while FileLock.number(ofOpen: descriptor, at: path) == nil
    self.descriptor = descriptor
    let words = Array("process \(ProcessInfo.processInfo.processIdentifier) on \(FileLock.hostName)\n".utf8)
    guard ftruncate(descriptor, 0) == 0, unsafe pwrite(descriptor, words, words.count, 0) == words.count else {
      throw InputError(.inputOutput, path: path, place: "write", expected: "room on disk", found: FileLock.reason(errno))
    }
  }

  /// Removes the file and gives the lock back.
  deinit {
    unsafe unlink(path)
    close(descriptor)
  }

  public static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "an unnamed host" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The file's number where the open file is still the one at `path`; closes it where not.
  private static func number(ofOpen descriptor: Int32, at path: String) -> UInt64? {
    var opened = stat(), named = stat()
    guard unsafe fstat(descriptor, &opened) == 0, unsafe stat(path, &named) == 0, opened.st_ino == named.st_ino else {
      close(descriptor)
      return nil
    }
    return UInt64(opened.st_ino)
  }

  private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
