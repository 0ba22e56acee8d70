import Corpora
import Foundation
import Frames
import Host
import TestSupport
import Testing

/// The corpus of Datasets/real.yaml, where the files are.
@Suite(.enabled(if: RealData.isPresent, Comment(rawValue: RealData.absence)))
struct RealCorpusTests {
  @Test func theRealRecipeBuilds() throws {
    let scratch = Scratch()
    let corpus = try CorpusBuilder.build(
      recipeAt: Repository.path + "/Datasets/real.yaml", to: scratch("real"), environment: ["PSIMAGENET_REALDATA": RealData.folder])
    func count(_ source: String) -> Int { corpus.records.filter { $0.source == source }.count }
    // As the folder's README counts them.
    #expect(count("jungfrau") == 2)
    #expect(count("timetool") == 442 / 32)
    #expect(count("sensor") == 1)
    #expect(count("quad") == 1)
    func pictures(_ camera: String) throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: RealData.folder + "/cameras/psbeam/\(camera)").filter { $0.hasSuffix(".png") }.count
    }
    for camera in ["dg3", "hx2", "yag_01"] {
      #expect(try corpus.records.filter { $0.labels["camera"] == camera }.count == pictures(camera))
    }
    let stack = try HDF5File(opening: RealData.folder + "/cameras/injector_camera_stack.h5").dataset("/images")
    #expect(count("injector") == stack.shape[0])
    for record in corpus.records {
      #expect(record.fileChecksum == "xxh128:" + (try Checksum.xxh128(files: [RealData.folder + "/" + record.file])))
    }
    #expect(Set(corpus.records.map(\.split)) == Set(Split.allCases))
    for image in try corpus.images(corpus.records) {
      #expect(image.coverage > 0.05)
      // The tone maps keep typical pixels of order 1.
      #expect(image.pixels.elements.allSatisfy { abs($0) < 20 })
    }
  }

  @Test func cameraPicturesKeepTheirAspectAndMean() throws {
    let scratch = Scratch()
    let corpus = try CorpusBuilder.build(
      CorpusRecipe(
        yaml: """
          name: one
          image: {height: 65, width: 65}
          split: {train: 1, validation: 0, test: 0}
          sources: [{name: m, files: ["cameras/psbeam/dg3/image_000.png"]}]
          """), relativeTo: RealData.folder, to: scratch("c"))
    let image = try corpus.image(corpus.records[0])
    let reader = try RunFile.open(RealData.folder + "/cameras/psbeam/dg3/image_000.png")
    let payload = try #require(try reader.next()?.payloads.first)
    // 320 rows of 240 columns inside 65×65: 65 rows of 49 columns (48.75, made odd).
    #expect(payload.info.shape == [320, 240])
    #expect(abs(image.coverage - 49.0 / 65) < 1e-9)
    let sum = zip(image.pixels.elements, image.weight.elements).reduce(0) { $0 + Double($1.0 * $1.1) }
    let mean = payload.bytes.reduce(0) { $0 + Double($1) } / Double(payload.bytes.count)
    #expect(abs(sum / (65 * 49) - mean) < 1e-3 * mean)
  }
}
