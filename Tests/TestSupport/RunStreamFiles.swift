import Foundation
import Host

/// XTC1 runs as a data acquisition of several streams leaves them.
package enum RunStreamFiles {
  /// Deals the events of `<experiment>-rNNNN-s00-c00.xtc` in turn to `streams` streams, each in `chunks` files, beside each other in
  /// `folder`; every stream has the transitions. Returns the files, sorted by name.
  package static func deal(_ path: String, to folder: String, streams: Int, chunks: Int) throws -> [String] {
    let bytes = [UInt8](try AtomicFile.read(path))
    var transitions: (before: [UInt8], after: [UInt8]) = ([], []), events: [[UInt8]] = [], at = 0
    while at < bytes.count {
      func word(_ place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + place + $1]) << (8 * $1) } }
      // A datagram of 20 bytes and an Xtc, whose extent counts its own header. Service 12 is an event.
      let datagram = Array(bytes[at..<at + 20 + word(36)]), isEvent = word(8) >> 24 & 0xF == 12
      if isEvent { events.append(datagram) } else if events.isEmpty { transitions.before += datagram } else { transitions.after += datagram }
      at += datagram.count
    }
    let name = (path as NSString).lastPathComponent.components(separatedBy: "-s00-")[0]
    var files: [String] = []
    try AtomicFile.makeFolder(folder)
    for stream in 0..<streams {
      let own = events.indices.filter { $0 % streams == stream }
      for chunk in 0..<chunks {
        let part = own[own.count * chunk / chunks..<own.count * (chunk + 1) / chunks]
        let content = (chunk == 0 ? transitions.before : []) + part.flatMap { events[$0] } + (chunk == chunks - 1 ? transitions.after : [])
        files.append("\(folder)/\(name)-s0\(stream)-c0\(chunk).xtc")
        try AtomicFile.write(Data(content), to: files[files.count - 1])
      }
    }
    return files
  }
}
