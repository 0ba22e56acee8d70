/// Something from outside is not what it has to be: a file, a recipe, a flag.
///
/// Printed as one line: `path: place: expected …, found …`. `place` is where in the file: a byte offset, a key path, a line.
public struct InputError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What went wrong, as the process exit code that tells it.
  public enum Kind: Int32, Sendable {
    /// The input exists but does not hold what it should.
    case malformed = 65
    /// The input does not exist or cannot be opened.
    case missing = 66
    /// Reading or writing failed.
    case inputOutput = 74
  }

  public let kind: Kind
  public let path: String
  public let place: String
  public let expected: String
  public let found: String

  public init(_ kind: Kind = .malformed, path: String, place: String, expected: String, found: String) {
    self.kind = kind
    self.path = path
    self.place = place
    self.expected = expected
    // An empty field of a file would leave the sentence without an end.
    self.found = found.isEmpty ? "nothing" : found
  }

  public var description: String {
    let head = [path, place].filter { !$0.isEmpty }.joined(separator: ": ")
    return "\(head): expected \(expected), found \(found)"
  }
}
