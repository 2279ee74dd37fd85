"""A run as an ONNX file with its model card: `python -m spectral.export`."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from applied_runs import predict
from small_runs import CLASSES, OVERRIDES, arrays, composed, result, run

from spectral import export, load_run
from spectral.errors import UserError
from spectral.exporting import onnx_file
from spectral.exporting.model_card import model_card
from spectral.exporting.onnx_file import LARGEST_DIFFERENCE
from spectral.inference.classifier import Classifier
from spectral.inference.onnx_predictor import OnnxPredictor
from spectral.inference.predictor import Predictor
from spectral.prediction.applied_run import AppliedRun
from spectral.runs.folder import RunFolder

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def finished(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a moment, whose decision rule was fitted."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    # Of few layers: it is their tracing that takes seconds.
    more = ("decision=macro_f1", "sampler=balanced", "inputs.channels=[flux,mask]", "model.dilations=[2]")
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, *more])
    return folder


def command(*overrides: str) -> None:
    """Call the command's main function below Hydra's two decorators."""
    export.main.__wrapped__.__wrapped__(composed(overrides, "export"))


@pytest.fixture(scope="module")
def model(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported run; tracing takes seconds."""
    path = tmp_path_factory.mktemp("exported") / "model.onnx"
    command(f"run={finished}", f"out={path}")
    return path


def test_predict_takes_the_file_for_the_run(
    model: Path, finished: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    np.savez(tmp_path / "new.npz", **arrays(num=9, seed=5))
    predict(model, tmp_path / "new.npz", tmp_path / "onnx.parquet")
    assert "Running on cpu by onnxruntime in float32" in caplog.text and "bfloat16" not in caplog.text
    predict(finished, tmp_path / "new.npz", tmp_path / "torch.parquet")
    ours, theirs = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("onnx", "torch"))
    pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=5 * LARGEST_DIFFERENCE)  # the entropy adds up three
    with pytest.raises(UserError, match="reject needs the run's validation predictions"):
        predict(model, tmp_path / "new.npz", tmp_path / "no.csv", "reject=0.9")
    with pytest.raises(UserError, match=r"device=cuda is not allowed with run=.*model\.onnx"):
        predict(model, tmp_path / "new.npz", tmp_path / "no.csv", "device=cuda")
    with pytest.raises(UserError, match=r"precision=bfloat16 is not allowed with run=.*model\.onnx: onnxruntime"):
        predict(model, tmp_path / "new.npz", tmp_path / "no.csv", "precision=bfloat16")
    with pytest.raises(UserError, match=r"precision=bfloat16 is not allowed with run=.*model\.onnx: onnxruntime"):
        load_run(model, precision="bfloat16")
    with pytest.raises(UserError, match=r"device=cuda is not allowed with run=.*model\.onnx: an ONNX file is applied"):
        load_run(model, device="cuda")
    with pytest.raises(UserError, match=r"gone\.onnx cannot be read"):
        predict(tmp_path / "gone.onnx", tmp_path / "new.npz", tmp_path / "no.csv")


@pytest.mark.slow  # a run and its tracing
def test_inverse_variances_and_bad_pixels_reach_the_file_as_they_do_the_run(tmp_path: Path) -> None:
    """Of bad pixels the flux is not a number; one spectrum has no good pixel at all."""
    content = arrays()
    rng = np.random.default_rng(0)
    content["ivar"] = rng.uniform(0.5, 2, content["flux"].shape).astype(np.float32)
    content["ivar"][:, 5], content["ivar"][7, 40:60] = 0, np.nan
    content["mask"] = rng.random(content["flux"].shape) < 0.05
    content["mask"][3] = True
    content["flux"][content["mask"]] = np.nan
    np.savez(tmp_path / "new.npz", **content)
    given = ("inputs.channels=[flux,mask,snr,log_ivar]", "data.on_bad=skip", f"cache_dir={tmp_path / 'cache'}")
    run([f"run_dir={tmp_path / 'run'}", "data=arrays", f"data.path={tmp_path / 'new.npz'}", *OVERRIDES, *given])
    command(f"run={tmp_path / 'run'}", f"out={tmp_path / 'model.onnx'}")
    found = []
    for model in ("model.onnx", "run"):
        predict(tmp_path / model, tmp_path / "new.npz", tmp_path / "cat.parquet", "overwrite=true")
        found.append(pd.read_parquet(tmp_path / "cat.parquet"))
    pd.testing.assert_frame_equal(*found, rtol=0, atol=5 * LARGEST_DIFFERENCE)
    assert found[0]["problem"].notna().sum() == 1 and found[0]["probability/star"].std() > 0.01
    without = {name: array for name, array in content.items() if name != "ivar"}
    np.savez(tmp_path / "new.npz", **without)
    with pytest.raises(UserError, match=r"inputs\.channels needs inverse variances and the data has none"):
        predict(tmp_path / "model.onnx", tmp_path / "new.npz", tmp_path / "other.parquet")


def test_the_file_gives_the_runs_probabilities_and_classes(model: Path, finished: Path) -> None:
    """By onnxruntime alone, and by load_run; for a batch of any size, with bad pixels and without."""
    flux, mask = arrays(num=9, seed=5)["flux"], np.zeros((9, 96), bool)
    mask[1, :9], mask[2, 30:33], mask[3, 90:] = True, True, True
    trained = load_run(finished, device="cpu", precision="float32")
    session, loaded = onnxruntime.InferenceSession(str(model)), load_run(model)
    for rows, bad in ((slice(0, 9), mask), (slice(0, 1), mask), (slice(0, 9), mask & False)):
        given = {"flux": flux[rows, None], "mask": bad[rows]}
        probabilities, classes = session.run(["probabilities", "class_index"], given)
        expected = trained.predict_proba(flux[rows], mask=bad[rows])
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)
        np.testing.assert_allclose(loaded.predict_proba(flux[rows], mask=bad[rows]), expected, atol=1e-5)
        named = [CLASSES[k] for k in classes]
        assert named == trained.predict(flux[rows], mask=bad[rows]).tolist()
        assert named == loaded.predict(flux[rows], mask=bad[rows]).tolist()


def test_the_file_says_what_it_is(model: Path, finished: Path) -> None:
    proto = onnx.load(model)
    onnx.checker.check_model(proto)
    stored = {entry.key: entry.value for entry in proto.metadata_props}
    described = json.loads((finished / "model.json").read_text())
    assert {key: json.loads(stored[key]) for key in described} == described
    assert stored["fingerprint"] == result(finished)["survey"]["fingerprint"]
    assert stored["export_format"] == "1"
    loaded = load_run(model)
    assert loaded.class_names == list(CLASSES)
    np.testing.assert_array_equal(loaded.wave_angstrom, described["wave_angstrom"])


def test_a_model_card_stands_next_to_the_file(model: Path, finished: Path, tmp_path: Path) -> None:
    card = model.with_suffix(".md").read_text()
    scores = result(finished)
    for title in ("Data", "Scores", "Decision rule", "Intended use", "Limits", "How to load"):
        assert f"\n## {title}\n" in card
    for key in ("val", "test"):
        assert f"{scores[f'{key}/macro_f1']:.4f}" in card and f"{scores[f'{key}/macro_f1_low']:.4f}" in card
        assert all(f"{scores[f'{key}/decision/f1/{name}']:.4f}" in card for name in CLASSES)
    assert scores["survey"]["fingerprint"] in card and "4000.0 to 5000.0 Angstrom in 96 pixels" in card
    command(f"run={finished}", f"out={tmp_path / 'card.md'}")
    assert (tmp_path / "card.md").read_text() == card


def test_an_edited_model_card_is_kept_unless_it_may_be_replaced(
    model: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnx_file, "write_onnx", lambda *_: "as before")
    card, written = tmp_path / "model.md", model.with_suffix(".md").read_text()
    for text in (written, "edited"):
        card.write_text(text)
        command(f"run={finished}", f"out={tmp_path / 'model.onnx'}")
        assert card.read_text() == text
        sentence = f"model card not written: {card} has another text than the run gives, perhaps yours; overwrite=true"
        assert (sentence in capsys.readouterr().out) == (text == "edited")
    with pytest.raises(UserError, match=r"model\.md has another text than .*: overwrite=true"):
        command(f"run={finished}", f"out={card}")
    command(f"run={finished}", f"out={card}", "overwrite=true")
    assert card.read_text() == written


def test_a_model_card_says_how_the_baseline_was_removed(finished: Path, tmp_path: Path) -> None:
    assert "- baseline of each spectrum: not removed" in model_card(RunFolder(finished))
    folder = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    content = json.loads(folder.model.read_text())
    content["inputs"]["baseline"] = {"method": "snip", "max_half_window": 20}
    folder.model.write_text(json.dumps(content))
    card = model_card(folder)
    assert "removed before, `data.baseline.method=snip data.baseline.max_half_window=20`" in card
    assert "(true: bad pixel), of spectra whose baseline was removed as above" in card


def test_a_model_card_says_what_holds_for_a_run_without_wavelengths_and_with_a_split_of_its_survey(
    finished: Path, tmp_path: Path
) -> None:
    usual = model_card(RunFolder(finished))
    assert "run.predict_proba(flux, mask=mask, wave=wave)" in usual and "of a random part of the same survey" in usual
    folder = RunFolder(shutil.copytree(finished, tmp_path / "run"))
    folder.model.write_text(json.dumps(json.loads(folder.model.read_text()) | {"wave_angstrom": None}))
    folder.config.write_text(folder.config.read_text().replace("name: stratified", "name: given"))
    card = model_card(folder)
    assert "run.predict_proba(flux, mask=mask)\n" in card and "wave=wave" not in card
    assert "- Scores are of the same survey, divided by its own split. On another" in card and "random part" not in card


def with_metadata(model: Path, metadata: dict[str, str]) -> bytes:
    """The file with other metadata."""
    proto = onnx.load(model)
    del proto.metadata_props[:]
    for key, value in metadata.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString())


def test_the_file_and_the_card_say_whether_spectra_of_different_classes_were_mixed(
    model: Path, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights are those of the other run, which spares the tracing."""

    def exported_before(predictor: Predictor, fingerprint: str, is_mixed: bool) -> bytes:
        return with_metadata(model, onnx_file.metadata(predictor.classifier, fingerprint, is_mixed))

    monkeypatch.setattr(onnx_file, "exported", exported_before)
    config = Path(shutil.copytree(finished, tmp_path / "run")) / "config.yaml"
    config.write_text(config.read_text().replace("mixup_alpha: null", "mixup_alpha: 0.2"))
    command(f"run={tmp_path / 'run'}", f"out={tmp_path / 'mixed.onnx'}")
    said, usual = "do not correct them for other shares", "correct them for the new shares"
    card, other = (tmp_path / "mixed.md").read_text(), model.with_suffix(".md").read_text()
    assert said in card and usual not in card and usual in other and said not in other
    assert AppliedRun.open(tmp_path / "mixed.onnx").is_mixed and not AppliedRun.open(model).is_mixed
    earlier = onnx_file.metadata(Classifier.load(RunFolder(finished)), "", is_mixed=True)
    del earlier["trained_on_mixtures"]
    (tmp_path / "earlier.onnx").write_bytes(with_metadata(model, earlier))
    assert not AppliedRun.open(tmp_path / "earlier.onnx").is_mixed


def test_a_file_that_differs_from_torch_is_not_written(
    finished: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter is made to give the file of this run for one with other weights."""
    predictor = OnnxPredictor.load(model)
    assert predictor.classifier.class_names == list(CLASSES)
    monkeypatch.setattr(onnx_file, "exported", lambda *_: model.read_bytes())
    load = Classifier.load_network

    def other_weights(self: Classifier, folder: RunFolder) -> torch.nn.Module:
        network = load(self, folder)
        with torch.no_grad():
            network.head.logits.bias[0] += 0.5  # type: ignore[union-attr, operator]  # modules, as torch types them
        return network

    monkeypatch.setattr(Classifier, "load_network", other_weights)
    with pytest.raises(UserError, match=r"differs from PyTorch by 0\.\d+ in a probability, .* is not written"):
        command(f"run={finished}", f"out={tmp_path / 'model.onnx'}")
    assert not [*tmp_path.iterdir()]


def test_mistakes_are_one_sentence(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"out=model\.pt has no known ending: end it in \.onnx or \.md"):
        command(f"run={finished}", "out=model.pt")
    with pytest.raises(UserError, match=r"which needs \.onnx"):
        command(f"run={finished}", "out=model.md", "format=onnx")
    with pytest.raises(UserError, match=r"model\.onnx has the ending of a model, and format=card writes Markdown: end"):
        command(f"run={finished}", f"out={tmp_path / 'model.onnx'}", "format=card", "overwrite=true")
    assert not (tmp_path / "model.onnx").exists()
    with pytest.raises(UserError, match=r"out=\.\.\. is missing"):
        command(f"run={finished}")
    (tmp_path / "text.onnx").write_text("text")
    with pytest.raises(UserError, match=r"text\.onnx cannot be read: it is not a whole ONNX file"):
        load_run(tmp_path / "text.onnx")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    with pytest.raises(UserError, match=r"format=onnx needs onnxscript, .* pip install -e '\.\[export\]'"):
        command(f"run={finished}", f"out={tmp_path / 'model.onnx'}")


@pytest.mark.slow
def test_the_baseline_is_removed_before_the_file_is_applied(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = arrays()
    content["flux"] += np.linspace(-4, 4, content["flux"].shape[1]).astype(np.float32) ** 2
    np.savez(tmp_path / "s.npz", **content)
    data = ["data=arrays", f"data.path={tmp_path / 's.npz'}", "data.num_workers=1", f"cache_dir={tmp_path / 'cache'}"]
    run([*data, *OVERRIDES, "data.baseline={method:modpoly,poly_order:2}", f"run_dir={tmp_path / 'run'}"])
    command(f"run={tmp_path / 'run'}", f"out={tmp_path / 'model.onnx'}")
    assert "(data.baseline.method=modpoly data.baseline.poly_order=2), whose removal no graph can hold" in caplog.text
    ours, theirs = load_run(tmp_path / "model.onnx"), load_run(tmp_path / "run", device="cpu", precision="float32")
    flux = content["flux"]
    np.testing.assert_allclose(ours.predict_proba(flux), theirs.predict_proba(flux), atol=1e-4)
