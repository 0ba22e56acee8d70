import Audits
import Corpora
import Foundation
import Frames
import Host
import Reports
import Testing

struct AuditPageTests {
  /// Two runs in two splits, the second a copy of the first.
  private func copiedRuns(in folder: String) throws -> String {
    for run in 1...2 {
      try AtomicFile.makeFolder("\(folder)/raw/run\(run)")
      let file = try HDF5File(creating: "\(folder)/raw/run\(run)/shots.h5")
      let values = (0..<3 * 64).map { (index: Int) -> Float in
        let mixed = index * 37 + (index / 64) * 11
        return Float(mixed % 101)
      }
      try file.write(values, shape: [3, 8, 8], to: "/images")
      try file.close()
    }
    let recipe = try CorpusRecipe(
      yaml: """
        name: "<copies>"
        image: {height: 8, width: 8}
        split: {train: 0.5, validation: 0, test: 0.5, runs: {train: ['t:1'], test: ['t:2']}}
        sources: [{name: a, files: ["raw/run*/shots.h5"], dataset: /images, detector: picture, experiment: t, run: folder}]
        """)
    return try CorpusBuilder.build(recipe, relativeTo: folder, to: folder + "/corpus").folder
  }

  @Test func thePageShowsWhatFailedAndWhatIsAlike() throws {
    let folder = NSTemporaryDirectory() + "audit-page-" + UUID().uuidString
    defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(error)") } }
    let corpus = try copiedRuns(in: folder), audit = try CorpusAudit(of: corpus)
    #expect(!audit.passed)
    let html = try audit.html(folder: corpus).html
    #expect(html.contains("FAILED: near-duplicates") && html.contains("Audit of &lt;copies&gt;"))
    // Three pairs, both pictures of each.
    #expect(html.components(separatedBy: "data:image/png").count - 1 == 6)
    #expect(html.contains("t:2 frame 1, test, 0.00") && !html.contains("<script"))
  }

  @Test func aDamagedCorpusHasAPageToo() throws {
    let folder = NSTemporaryDirectory() + "audit-page-" + UUID().uuidString
    defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(error)") } }
    let corpus = try copiedRuns(in: folder)
    try AtomicFile.write(Data("{}".utf8), to: corpus + "/manifest.json")
    let audit = try CorpusAudit(of: corpus)
    #expect(audit.gates.map(\.name) == [.integrity])
    #expect(try audit.html(folder: corpus).html.contains("FAILED: integrity"))
  }
}
