/// Parts of a path, as text: nothing is looked up. Foundation's own trap on a name of one letter (Linux, Swift 6).
extension String {
  /// The folder that a path lies in: `a/b.h5` -> `a`, `b.h5` -> nothing, `/b.h5` -> `/`.
  public var folderOfPath: String {
    let path = withoutLastSlashes
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash]).withoutLastSlashes
  }

  /// The last name of a path: `a/b.h5` -> `b.h5`, `/` -> `/`.
  public var nameInPath: String {
    let path = withoutLastSlashes
    guard path != "/", let slash = path.lastIndex(of: "/") else { return path }
    return String(path[path.index(after: slash)...])
  }

  private var withoutLastSlashes: String {
    var path = self
    while path.count > 1, path.last == "/" { path.removeLast() }
    return path
  }
}
