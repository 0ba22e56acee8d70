import Foundation
import Frames
import Host
import Simulation
import Tensors
import Testing

struct ConditionDesignTests {
  private static let plan = """
    {"detector": "xtcav", "experiment": "scan", "runs": [1, 2, 3], "darksPerRun": 3, "seed": 4,
     "xtcav": {"width": 64, "height": 64, "emptyRate": 0, "croppedRate": 0, "saturatedRate": 0},
     "designs": [
       {"use": "one-bunch", "set": {"bunches": 1}, "factors": [
         {"name": "state", "levels": [{"name": "idle", "set": {"lasingClass": 0}}, {"name": "lasing", "set": {"lasingClass": 1}}]},
         {"name": "chirp", "levels": [{"name": "falling", "set": {"chirp_MeVPerFs": [-0.4, -0.3]}}, {"name": "rising", "set": {"chirp_MeVPerFs": [0.3, 0.4]}}]}]},
       {"use": "two-bunch", "set": {"bunches": 2}, "repeats": 2, "factors": [
         {"name": "state", "levels": [{"name": "both", "set": {"lasingClass": 3}}, {"name": "second", "set": {"lasingClass": 2}}]}]}]}
    """

  private func decoded(_ text: String) throws -> SimulationPlan {
    try CanonicalJSON.value(SimulationPlan.self, from: Data(text.utf8), path: "plan.json")
  }

  @Test func everyRunVisitsEveryConditionInAnOrderOfItsOwn() throws {
    let plan = try decoded(Self.plan)
    // 2·2 + 2·2 shots, and the parameters that are not named keep their values.
    #expect(plan.shotsPerRun == 8 && plan.cycleLength == 8)
    #expect(plan.xtcav.width == 64 && plan.xtcav.lasingRate == XTCAVSimulator.Parameters().lasingRate)
    let written = try WrittenPlan(plan)
    var orders: Set<[String]> = []
    for run in plan.runs {
      let rows = written.truth.filter { $0["run"] == "\(run)" }
      #expect(rows.count == 11)
      let names = rows.map { "\($0["use"] ?? "")/\($0["state"] ?? "")/\($0["chirp"] ?? "")" }
      orders.insert(names)
      #expect(names.count { $0 == "dark//" } == 3)
      for name in ["one-bunch/idle/falling", "one-bunch/idle/rising", "one-bunch/lasing/falling", "one-bunch/lasing/rising"] {
        #expect(names.count { $0 == name } == 1)
      }
      for name in ["two-bunch/both/", "two-bunch/second/"] { #expect(names.count { $0 == name } == 2) }
      for row in rows {
        #expect((row["use"] == "dark") == (row["beam_on"] == "0"))
        // What the condition says is what happened.
        let classes = ["idle": "0", "lasing": "1", "both": "3", "second": "2", "": "0"]
        #expect(row["lasing_class"] == classes[row["state"] ?? ""])
        let chirp = try #require(Double(row["chirp_MeV_per_fs"] ?? ""))
        if row["chirp"] == "falling" { #expect((-0.5 ... -0.2).contains(chirp)) }
        if row["chirp"] == "rising" { #expect((0.2...0.5).contains(chirp)) }
      }
    }
    #expect(orders.count == 3)
  }

  @Test func darkShotsKeepNoRhythm() throws {
    var plan = SimulationPlan(detector: .xtcav)
    (plan.runs, plan.shotsPerRun, plan.darksPerRun, plan.xtcav.width, plan.xtcav.height) = (Array(1...6), 18, 3, 64, 64)
    let written = try WrittenPlan(plan)
    let places = plan.runs.map { run in
      written.truth.filter { $0["run"] == "\(run)" }.enumerated().filter { $0.element["beam_on"] == "0" }.map(\.offset)
    }
    // One in each third of the run.
    for place in places { #expect(place.map { $0 / 7 } == [0, 1, 2]) }
    #expect(Set(places).count > 3)
  }

  @Test func theTimeToolAndTheCSPADFollowTheirConditions() throws {
    let tool = try WrittenPlan(
      decoded(
        """
        {"detector": "timetool", "experiment": "tool", "runs": [1], "darksPerRun": 0, "timeTool": {"width": 256, "height": 64, "jitter_px": 0},
         "designs": [{"use": "edge", "set": {"referenceRate": 0, "noLaserRate": 0, "depth": [0.5, 0.5]}, "repeats": 3, "factors": [
           {"name": "delay", "levels": [{"name": "early", "set": {"arrival": [0.2, 0.22]}}, {"name": "late", "set": {"arrival": [0.78, 0.8]}}]},
           {"name": "stripe", "levels": [{"name": "low", "set": {"pointing": [0.3, 0.3]}}, {"name": "high", "set": {"pointing": [0.7, 0.7]}}]}]}]}
        """))
    for row in tool.truth {
      let edge = try #require(Double(row["edge_px"] ?? "")) / 256, stripe = try #require(Double(row["stripe_row_px"] ?? "")) / 64
      #expect((row["delay"] == "early" ? 0.2...0.22 : 0.78...0.8).contains(edge))
      #expect(abs(stripe - (row["stripe"] == "low" ? 0.3 : 0.7)) < 1e-6)
      #expect(row["edge_depth"] == "0.5" && row["edge_present"] == "1")
    }
    // The light is where the truth says: the brightest row of the summed picture.
    let walk = try tool.run(1)
    for (index, row) in tool.truth.enumerated() {
      let raw = try TimeTool.decode(walk.payload(index), path: "tool")
      let sums = (0..<64).map { r in raw.elements[r * 256..<(r + 1) * 256].reduce(0) { $0 + Double($1) } }
      let brightest = try #require(sums.indices.max { sums[$0] < sums[$1] })
      #expect(abs(Double(brightest) - (row["stripe"] == "low" ? 0.3 : 0.7) * 64) < 3)
    }
    let cspad = try WrittenPlan(
      decoded(
        """
        {"detector": "cspad", "experiment": "rings", "runs": [1], "darksPerRun": 0, "cspad": {"roiMask": 1, "noJetRate": 0, "iceRate": 0, "hitRate": 0},
         "designs": [{"use": "jet", "factors": [
           {"name": "distance", "levels": [{"name": "near", "set": {"distance_mm": [70, 70], "photonEnergy_eV": [9000, 9000]}},
                                           {"name": "far", "set": {"distance_mm": [140, 140], "photonEnergy_eV": [9000, 9000]}}]}]}]}
        """))
    for row in cspad.truth {
      let distance = row["distance"] == "near" ? 70.0 : 140, wavelength = 12398.42 / 9000
      let radius = distance * tan(2 * asin(2.0 * wavelength / (4 * .pi)))
      #expect(abs(try #require(Double(row["ring_radius_mm"] ?? "")) - radius) < 1e-3)
    }
  }

  @Test(arguments: [
    ("\"lasingClass\": 0", "\"lasingclass\": 0", "one of the parameters"), ("\"lasingClass\": 0", "\"width\": 65", "one of the parameters"),
    ("\"lasingClass\": 0", "\"lasingClass\": 2", "0 to 1 for 1 bunches"), ("\"name\": \"rising\"", "\"name\": \"falling\"", "levels of different names"),
    ("\"name\": \"chirp\"", "\"name\": \"state\"", "different factors"), ("\"name\": \"chirp\"", "\"name\": \"lasing\"", "no truth column"),
    ("\"repeats\": 2", "\"repeats\": 0", "1 to 1000"), ("\"name\": \"both\"", "\"name\": \"a,b\"", "without commas"),
  ])
  func aDesignThatCannotBeIsRefused(_ good: String, _ bad: String, _ expected: String) throws {
    let text = Self.plan.replacing(good, with: bad)
    try #require(text != Self.plan)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("psimagenet-" + UUID().uuidString).path
    #expect { try SimulatedRuns.write(decoded(text), to: folder) } throws: { ($0 as? InputError)?.expected.contains(expected) == true }
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func unknownKeysOfAPlanAreRefused() {
    for text in [
      "{\"detector\": \"xtcav\", \"shots\": 3}", "{\"detector\": \"xtcav\", \"xtcav\": {\"widht\": 64}}", "{\"detector\": \"camera\"}",
    ] {
      #expect(throws: InputError.self) { try decoded(text) }
    }
  }

  @Test func aCampaignWritesEachPlanIntoItsFolder() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("psimagenet-" + UUID().uuidString).path
    defer { do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(error)") } }
    var a = SimulationPlan(detector: .xtcav), b = SimulationPlan(detector: .timetool)
    (a.runs, a.shotsPerRun, a.darksPerRun, a.xtcav.width, a.xtcav.height) = ([1], 2, 0, 64, 64)
    (b.runs, b.shotsPerRun, b.darksPerRun, b.timeTool.width, b.timeTool.height) = ([1], 2, 0, 64, 16)
    try SimulationCampaign(["one": a, "two": b]).write(to: folder)
    for name in ["one", "two"] { #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)/truth.csv")) }
    // A mistake in any plan is found before the first file.
    b.timeTool.width = 1
    #expect(throws: InputError.self) { try SimulationCampaign(["one": a, "two": b]).write(to: folder + "/later") }
    #expect(!FileManager.default.fileExists(atPath: folder + "/later"))
  }
}
