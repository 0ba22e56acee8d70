import Cues
import Foundation
import Host

/// What `audit --task` may be given: run folders, or a recipe.
enum AuditSubject {
  /// Throws for a file that lies in a run folder or came from an audit, saying what to name instead. A recipe may be a file, `recipe.json` of a
  /// run among them.
  static func refuseFileOfRun(_ subject: String) throws(InputError) {
    guard FileManager.default.fileExists(atPath: subject), !AtomicFile.isFolder(subject) else { return }
    func refusal(_ found: String) -> InputError {
      let folder = subject.folderOfPath
      return InputError(
        path: subject, place: "", expected: "a run folder, or a recipe", found: "\(found); name its run folder\(folder.isEmpty ? "" : ", such as \(folder)")")
    }
    if subject.hasSuffix(".safetensors") { throw refusal("a checkpoint") }
    if subject.hasSuffix(".jsonl") { throw refusal("the figures of a run") }
    guard subject.hasSuffix(".json"), let marks = try? CanonicalJSON.value(Marks.self, from: AtomicFile.read(subject), path: subject) else { return }
    if marks.format?.hasPrefix("psimagenet-") == true || marks.audits != nil || marks.rows != nil { throw refusal("an audit") }
  }

  /// Keys that audits have and recipes have not.
  private struct Marks: Decodable {
    var format: String?
    var audits: [JSONValue]?
    var rows: [JSONValue]?
  }
}
