import Crypto
import Foundation

/// SHA-256 in lower-case hexadecimal, as `sha256sum` prints it; MD5 where a format has it.
public enum Checksum {
  public static func sha256(_ data: Data) -> String { hex(SHA256.hash(data: data)) }

  public static func sha256(_ bytes: [UInt8]) -> String { sha256(Data(bytes)) }

  /// MD5 in base 64, as MIME headers carry it to tell damage.
  public static func md5Base64(_ bytes: some DataProtocol) -> String { Data(Insecure.MD5.hash(data: bytes)).base64EncodedString() }

  /// The digest of a file, read in pieces of 4 MiB, which `body` gets to see, too.
  public static func sha256(
    file path: String, pieces: Int = 4 << 20, _ body: (Data) throws(InputError) -> Void = { _ in }
  ) throws(InputError) -> String {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw InputError(.missing, path: path, place: "", expected: "a readable file", found: "nothing there")
    }
    var hasher = SHA256()
    do {
      while let piece = try handle.read(upToCount: pieces), !piece.isEmpty {
        hasher.update(data: piece)
        try body(piece)
      }
      try handle.close()
    } catch let error as InputError {
      throw error
    } catch {
      throw InputError(.inputOutput, path: path, place: "read", expected: "a readable file", found: error.localizedDescription)
    }
    return hex(hasher.finalize())
  }

  static func hex(_ digest: some Sequence<UInt8>) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
