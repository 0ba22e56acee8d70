import Foundation
import Frames
import Host

/// The folder of real files, which is no part of the project.
enum RealData {
  static let folder: String = {
    if let folder = ProcessInfo.processInfo.environment["PSIMAGENET_REALDATA"] { return folder }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.appendingPathComponent("../shared/realdata").standardizedFileURL.path
  }()
  static let isPresent = FileManager.default.fileExists(atPath: folder + "/README.md")
  static let absence = "the folder of real files (PSIMAGENET_REALDATA) is absent"

  static func file(_ name: String) -> String { folder + "/" + name }
  static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
}

/// All events of a reader.
func events(_ reader: any EventReader) throws(InputError) -> [Event] {
  var events: [Event] = []
  while let event = try reader.next() { events.append(event) }
  return events
}
