import Foundation

/// The built command line, which lies beside the bundle of tests.
package enum Command {
  package static let path: String = {
    let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    return [beside, Repository.path + "/.build/release"].map { $0 + "/psimagenet" }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? ""
  }()
  package static var isBuilt: Bool { !path.isEmpty }
  package static let absence = "the executable psimagenet has not been built"

  package static func start(
    _ arguments: [String], launchedBy launcher: [String] = [], output: Any = FileHandle.nullDevice
  ) throws -> (process: Process, errors: Pipe) {
    let process = Process(), errors = Pipe(), line = launcher + [path] + arguments
    process.executableURL = URL(fileURLWithPath: line[0])
    process.arguments = Array(line.dropFirst())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return (process, errors)
  }

  /// Exit code and what it said on standard error.
  package static func run(_ arguments: [String], launchedBy launcher: [String] = []) throws -> (code: Int32, errors: String) {
    let (process, errors) = try start(arguments, launchedBy: launcher)
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  /// Exit code and what it said on standard output; it must say little on standard error.
  package static func result(_ arguments: [String]) throws -> (code: Int32, text: String) {
    let output = Pipe(), (process, _) = try start(arguments, output: output)
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}

package enum Repository {
  package static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}

/// The folder of real files, which is no part of the project.
package enum RealData {
  package static let folder: String = {
    let named = ProcessInfo.processInfo.environment["PSIMAGENET_REALDATA"] ?? ""
    return named.isEmpty ? URL(fileURLWithPath: Repository.path + "/../shared/realdata").standardizedFileURL.path : named
  }()
  package static let isPresent = FileManager.default.fileExists(atPath: folder + "/README.md")
  package static let absence = "the folder of real files (PSIMAGENET_REALDATA) is absent"

  package static func file(_ name: String) -> String { folder + "/" + name }
  package static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
}
