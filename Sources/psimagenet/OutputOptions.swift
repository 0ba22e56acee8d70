import ArgumentParser
import Foundation
import Host

/// What every command offers: JSON for machines, and quiet.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.") var json = false
  @Flag(help: "No progress lines.") var quiet = false

  var progress: ProgressHandler { quiet ? { _ in } : ProgressLine().handler }

  /// Prints `value` as JSON where asked, else as `text` says.
  func print<Value: Encodable>(_ value: Value, _ text: (Value) throws -> String) throws {
    let line = json ? String(decoding: try CanonicalJSON.data(value), as: UTF8.self) : try text(value)
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
