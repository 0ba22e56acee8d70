import Foundation
import Host

/// Files named by a pattern such as `${PSIMAGENET_REALDATA:-../shared/realdata}/cameras/*/image_*.png`.
///
/// `${NAME:-usual}` stands for an environment variable or, where it is unset, `usual`; like any path of the environment it counts
/// from the working directory where it is relative. Other relative paths count from the recipe's folder. `*` matches any characters but `/`, `?` one of them.
package struct FilePattern {
  package let text: String

  package init(text: String) { self.text = text }

  package struct Match: Hashable, Comparable {
    /// Where the file is.
    package let path: String
    /// What a corpus calls it: without the variable part and without folders of this machine.
    package let name: String
    package static func < (a: Match, b: Match) -> Bool { (a.name, a.path) < (b.name, b.path) }
  }

  /// Every match, sorted by name; `.missing` where there is none.
  package func matches(relativeTo base: String, environment: [String: String], place: String) throws(InputError) -> [Match] {
    let (root, rest) = try expanded(environment, place: place)
    var found: [Match] = []
    let start = root.isEmpty ? base : root
    let parts = rest.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    // An absolute pattern is named from its last fixed folder on.
    let isAbsolute = root.isEmpty && rest.hasPrefix("/")
    let fixed = parts.dropLast().prefix { !FilePattern.isPattern($0) }.count
    try walk(isAbsolute ? "" : start, [], parts[...], &found)
    guard !found.isEmpty else {
      throw InputError(
        .missing, path: (isAbsolute ? "" : start + "/") + rest, place: place, expected: "files matching \(text)",
        found: "none")
    }
    if isAbsolute {
      let dropped = max(0, fixed - 1)
      found = found.map { match in
        Match(path: match.path, name: match.name.split(separator: "/").dropFirst(dropped).joined(separator: "/"))
      }
    }
    return found.sorted()
  }

  /// The folder that the text, without stars, names; `.missing` where there is none.
  func folder(relativeTo base: String, environment: [String: String], place: String) throws(InputError) -> String {
    let (root, rest) = try expanded(environment, place: place)
    let path = [root, rest].filter { !$0.isEmpty }.joined(separator: "/")
    let full = path.hasPrefix("/") || !root.isEmpty ? path : base + "/" + path
    guard AtomicFile.isFolder(full) else {
      throw InputError(.missing, path: full, place: place, expected: "a folder", found: "none")
    }
    return full
  }

  /// The folder that a leading variable names, and the pattern after it.
  private func expanded(_ environment: [String: String], place: String) throws(InputError) -> (String, String) {
    guard text.hasPrefix("${") else { return ("", text) }
    guard let end = text.firstIndex(of: "}") else {
      throw InputError(path: "", place: place, expected: "a closing }", found: text)
    }
    let inside = String(text[text.index(text.startIndex, offsetBy: 2)..<end])
    let rest = String(text[text.index(after: end)...].drop { $0 == "/" })
    let name: String, usual: String?
    if let mark = inside.range(of: ":-") {
      (name, usual) = (String(inside[..<mark.lowerBound]), String(inside[mark.upperBound...]))
    } else {
      (name, usual) = (inside, nil)
    }
    if let value = environment[name], !value.isEmpty { return (value, rest) }
    guard let usual else {
      throw InputError(
        .missing, path: "", place: place, expected: "the environment variable \(name), or ${\(name):-folder}", found: "unset")
    }
    return (usual, rest)
  }

  private func walk(_ folder: String, _ names: [String], _ parts: ArraySlice<String>, _ found: inout [Match])
    throws(InputError)
  {
    guard let part = parts.first else { return }
    let rest = parts.dropFirst()
    let candidates: [String]
    if FilePattern.isPattern(part) {
      // Hidden files are never meant by a star.
      candidates = try FilePattern.children(of: folder).filter { !$0.hasPrefix(".") && FilePattern.matches(Array($0.utf8)[...], Array(part.utf8)[...]) }
    } else {
      candidates = [part]
    }
    for name in candidates.sorted() {
      let path = folder + "/" + name
      if rest.isEmpty {
        if FileManager.default.fileExists(atPath: path), !AtomicFile.isFolder(path) {
          found.append(Match(path: path, name: (names + [name]).filter { $0 != ".." && $0 != "." }.joined(separator: "/")))
        }
      } else if AtomicFile.isFolder(path) {
        try walk(path, names + [name], rest, &found)
      }
    }
  }

  private static func children(of folder: String) throws(InputError) -> [String] {
    let place = folder.isEmpty ? "/" : folder
    guard AtomicFile.isFolder(place) else { return [] }
    do { return try FileManager.default.contentsOfDirectory(atPath: place) } catch {
      throw InputError(
        .inputOutput, path: place, place: "list", expected: "a readable folder", found: error.localizedDescription)
    }
  }

  private static func isPattern(_ text: String) -> Bool { text.contains("*") || text.contains("?") }

  /// Whether `text` fits `pattern`; the star tries the shortest run first.
  private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
    guard let head = pattern.first else { return text.isEmpty }
    if head == 0x2A {
      return matches(text, pattern.dropFirst()) || (!text.isEmpty && matches(text.dropFirst(), pattern))
    }
    guard let next = text.first, head == 0x3F || head == next else { return false }
    return matches(text.dropFirst(), pattern.dropFirst())
  }
}
