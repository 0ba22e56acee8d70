/// The engine could not compile or run a graph.
public enum EngineError: Error, CustomStringConvertible {
  /// A oneDNN call failed: which one, for which node, and the status it returned.
  case library(call: String, node: String, status: Int32)
  /// This machine or this engine cannot do what was asked.
  case unsupported(String)
  /// What was fed does not fit what was compiled.
  case mismatch(field: String, expected: String, found: String)
  /// Intermediate results would take more bytes than allowed; none have been taken.
  case memory(needed: Int, limit: Int)

  /// Whether oneDNN has no kernel for what was asked.
  var isUnimplemented: Bool {
    if case .library(_, _, 3) = self { true } else { false }
  }

  public var description: String {
    switch self {
    case .library(let call, let node, let status):
      "oneDNN \(call) failed for \(node) with status \(status)\(status == 3 ? " (not implemented on this machine)" : "")"
    case .unsupported(let what): what
    case .mismatch(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
    case .memory(let needed, let limit): "the plan needs \(needed >> 20) MiB for intermediate results, allowed are \(limit >> 20) MiB"
    }
  }
}
