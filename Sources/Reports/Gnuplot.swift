import Foundation
import Host

/// Draws figures with the gnuplot program.
public struct Gnuplot: Sendable {
  public let executable: String

  public init(executable: String) { self.executable = executable }

  /// Looks in the folders of `path`, as a shell does. Throws `.missing`, naming the package, where gnuplot is not installed.
  public init(searching path: String) throws(InputError) {
    for folder in path.split(separator: ":") where FileManager.default.isExecutableFile(atPath: folder + "/gnuplot") {
      executable = folder + "/gnuplot"
      return
    }
    throw InputError(
      .missing, path: "gnuplot", place: "PATH", expected: "the gnuplot program (Debian package gnuplot-nox)", found: "none")
  }

  /// The figure as one SVG document without scripts, scalable, its text selectable.
  ///
  /// Throws where the data cannot be drawn, gnuplot cannot be started, or it fails: then with its own message.
  public func svg(_ figure: some Figure) throws(InputError) -> String {
    let size = figure.size
    let script = """
      set terminal svg noenhanced size \(size.width),\(size.height) font 'DejaVu Sans,13'
      set encoding utf8
      set border 3 lc rgb '#555555'
      set tics nomirror out scale 0.6 textcolor rgb '#222222'
      set grid ytics lc rgb '#dddddd' lt 1 lw 1
      set key bmargin center horizontal Left reverse samplen 2.5 spacing 1.15 height 0.8 noenhanced
      set title \(Quoted(figure.title)) font ',15' noenhanced

      """
    let svg = try run(script + figure.script(), title: figure.title)
    guard let start = svg.range(of: "<svg") else {
      throw InputError(path: executable, place: "figure \(figure.title)", expected: "an SVG document", found: "something else")
    }
    return Gnuplot.tidied(String(svg[start.lowerBound...]))
  }

  /// Runs a script from standard input. All three streams are files: nothing can block, however long the data.
  private func run(_ script: String, title: String) throws(InputError) -> String {
    let folder = FileManager.default.temporaryDirectory.path + "/psimagenet-figure-\(UUID().uuidString)"
    try AtomicFile.write(Data(script.utf8), to: folder + "/script")
    for name in ["output", "messages"] { try AtomicFile.write(Data(), to: folder + "/" + name) }
    let result: Result<String, InputError>
    do throws(InputError) { result = .success(try run(in: folder, title: title)) } catch { result = .failure(error) }
    do { try FileManager.default.removeItem(atPath: folder) } catch {
      throw InputError(
        .inputOutput, path: folder, place: "remove", expected: "a removable folder", found: error.localizedDescription)
    }
    return try result.get()
  }

  private func run(in folder: String, title: String) throws(InputError) -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: executable)
    // Default settings: the user's own start-up file must not change a report.
    process.arguments = ["-d"]
    process.environment = ["LC_ALL": "C.UTF-8", "HOME": folder]
    do {
      process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: folder + "/script"))
      process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/output"))
      process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/messages"))
      try process.run()
    } catch {
      throw InputError(
        .missing, path: executable, place: "start", expected: "the gnuplot program (Debian package gnuplot-nox)",
        found: error.localizedDescription)
    }
    process.waitUntilExit()
    let messages = String(decoding: try AtomicFile.read(folder + "/messages"), as: UTF8.self)
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let lines = messages.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      throw InputError(
        path: executable, place: "figure \(title)", expected: "a figure",
        found: "status \(process.terminationStatus): " + lines.filter { !$0.isEmpty }.joined(separator: " | "))
    }
    return String(decoding: try AtomicFile.read(folder + "/output"), as: UTF8.self)
  }

  /// Fonts that other machines have, sharp pixels in heat maps, no file-wide title.
  private static func tidied(_ svg: String) -> String {
    svg.replacingOccurrences(
      of: "font-family=\"DejaVu Sans\"", with: "font-family=\"DejaVu Sans, Verdana, Helvetica, sans-serif\""
    )
    .replacingOccurrences(of: "<image ", with: "<image style='image-rendering:pixelated' ")
    .replacingOccurrences(of: "<title>Gnuplot</title>\n", with: "")
  }
}
