import Foundation
import Host
import SwiftProtobuf

/// A file of figures over steps that TensorBoard draws. Belongs to one thread.
///
/// Records follow each other: length (u64, little-endian), its masked CRC-32C, the event, its masked CRC-32C. A file cut off by a kill
/// is read up to the cut. Source: TensorFlow, `record_writer.h` and `event.proto`.
public final class EventFile {
  public let path: String
  private let handle: FileHandle
  private let now: () -> Double

  /// Begins a new file in `folder`, which is made where it does not stand.
  ///
  /// - Parameters:
  ///   - step: The steps done so far; TensorBoard drops what earlier files of the folder say about later ones.
  ///   - now: Seconds since 1970.
  public init(folder: String, step: Int, now: @escaping () -> Double = { Date().timeIntervalSince1970 }) throws(InputError) {
    try AtomicFile.makeFolder(folder)
    let earlier = try? FileManager.default.contentsOfDirectory(atPath: folder).contains { $0.hasPrefix("events.out.tfevents.") }
    let process = ProcessInfo.processInfo.processIdentifier, began = String(format: "%010.0f", now())
    // A name of its own even where one process begins two files within a second.
    var number = 0
    func name() -> String { "\(folder)/events.out.tfevents.\(began).psimagenet.\(process).\(number)" }
    while FileManager.default.fileExists(atPath: name()) { number += 1 }
    let path = name()
    self.path = path
    self.now = now
    guard FileManager.default.createFile(atPath: path, contents: nil), let handle = FileHandle(forWritingAtPath: path) else {
      throw InputError(.inputOutput, path: path, place: "open", expected: "a writable place", found: "none")
    }
    self.handle = handle
    try append { $0.fileVersion = "brain.Event:2" }
    // Also from the first step on, where a run that was killed before its first checkpoint left figures.
    if step > 0 || earlier == true {
      try append {
        // What is dropped starts with this step.
        $0.step = Int64(step) + 1
        $0.sessionLog.status = .start
      }
    }
  }

  /// Figures of one step by name; a name `train/loss` puts the curve `loss` under `train`.
  public func append(step: Int, _ figures: KeyValuePairs<String, Double>) throws(InputError) {
    try append { event in
      event.step = Int64(step)
      event.summary.value = figures.map { name, figure in
        .with {
          $0.tag = name
          $0.simpleValue = Float(figure)
        }
      }
    }
  }

  /// A picture in a PNG file.
  public func append(step: Int, name: String, png: Data, height: Int, width: Int) throws(InputError) {
    try append { event in
      event.step = Int64(step)
      event.summary.value = [
        .with {
          $0.tag = name
          $0.image = .with {
            ($0.height, $0.width, $0.colorspace) = (Int32(height), Int32(width), 3)
            $0.encodedImageString = png
          }
        }
      ]
    }
  }

  private func append(_ fill: (inout Psimagenet_Tensorboard_Event) -> Void) throws(InputError) {
    var event = Psimagenet_Tensorboard_Event()
    event.wallTime = now()
    fill(&event)
    do {
      let payload: Data = try event.serializedBytes(), length = EventFile.bytes(UInt64(payload.count))
      try handle.write(
        contentsOf: length + EventFile.bytes(CRC32C.masked(length)) + payload + EventFile.bytes(CRC32C.masked(payload)))
    } catch {
      throw InputError(.inputOutput, path: path, place: "write", expected: "room on disk", found: AtomicFile.reason(error))
    }
  }

  private static func bytes(_ value: some FixedWidthInteger) -> Data {
    Data((0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) })
  }
}
