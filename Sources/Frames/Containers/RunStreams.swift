import Foundation
import Host

/// The files of one run, sorted into streams and those into chunks.
struct RunStreams {
  struct Stream {
    /// `nil` for a file whose name has none.
    let number: Int?
    /// In the order of its chunks.
    let paths: [String]
    var isControl: Bool { (number ?? 0) >= RunFileName.firstControlStream }
    /// `stream 3`, or the file's name.
    var name: String { number.map { "stream \($0)" } ?? paths[0].nameInPath }
  }

  /// Streams in rising order.
  let streams: [Stream]

  /// Throws where the files are of several runs, one is given twice or a chunk between two others is not there.
  init(_ paths: [String]) throws(InputError) {
    precondition(!paths.isEmpty, "a run has at least one file")
    guard paths.count > 1 else {
      streams = [Stream(number: RunFileName(paths[0])?.stream, paths: paths)]
      return
    }
    var chunks: [Int: [Int: String]] = [:]
    var first: RunFileName?
    for path in paths.sorted() {
      guard let name = RunFileName(path), let stream = name.stream else {
        throw InputError(
          path: path, place: "file name", expected: "<experiment>-r<run>-s<stream>-c<chunk> beside \(paths.count - 1) other files of the run",
          found: path.nameInPath)
      }
      let run = first ?? name
      first = run
      guard name.run == run.run, name.experiment == run.experiment else {
        throw InputError(
          path: path, place: "file name", expected: "a file of \(run.experiment) run \(run.run)", found: "\(name.experiment) run \(name.run)")
      }
      if let twin = chunks[stream, default: [:]].updateValue(path, forKey: name.chunk ?? 0) {
        throw InputError(path: path, place: "file name", expected: "each chunk once", found: "\(twin) too")
      }
    }
    var streams: [Stream] = []
    for (number, files) in chunks.sorted(by: { $0.key < $1.key }) {
      let numbers = files.keys.sorted()
      for (chunk, next) in zip(numbers, numbers.dropFirst()) where next != chunk + 1 {
        throw InputError(
          .missing, path: files[next] ?? "", place: "stream \(number)", expected: "chunk \(chunk + 1) before it", found: "none")
      }
      streams.append(Stream(number: number, paths: numbers.compactMap { files[$0] }))
    }
    self.streams = streams
  }

  /// The lists of files that are read together, in the order of their first: files in one folder whose names differ in stream
  /// and chunk alone are one run; any other file stands alone.
  static func groups(of paths: [String]) -> [[String]] {
    struct Key: Hashable {
      let folder: String, experiment: String, run: Int, suffix: String
    }
    var groups: [[String]] = [], places: [Key: Int] = [:]
    for path in paths {
      let file = path as NSString
      let suffix = file.pathExtension
      guard suffix == "xtc" || suffix == "xtc2", let name = RunFileName(path), name.stream != nil else {
        groups.append([path])
        continue
      }
      let key = Key(folder: path.folderOfPath, experiment: name.experiment, run: name.run, suffix: suffix)
      if let place = places[key] {
        groups[place].append(path)
      } else {
        places[key] = groups.count
        groups.append([path])
      }
    }
    return groups
  }
}

/// The chunks of one stream, read front to back as one file.
final class ChunkedFile {
  private var current: SequentialFile
  private var waiting: ArraySlice<String>

  /// Throws where the first cannot be opened or is empty.
  init(opening paths: [String], _ content: String) throws(InputError) {
    precondition(!paths.isEmpty, "a stream has at least one file")
    current = try SequentialFile(opening: paths[0])
    waiting = paths.dropFirst()
    guard current.byteCount > 0 else {
      throw InputError(path: paths[0], place: "byte 0", expected: content, found: "an empty file")
    }
  }

  var path: String { current.path }
  var offset: Int { current.offset }

  /// Whether there is more, in this chunk or the next, which is opened here.
  func hasMore() throws(InputError) -> Bool {
    while current.isAtEnd, let next = waiting.popFirst() { current = try SequentialFile(opening: next) }
    return !current.isAtEnd
  }

  func read(_ count: Int, _ name: String) throws(InputError) -> [UInt8] { try current.read(count, name) }
}
